"""What is granted at a start is kept, and holds when the profile has no rule any more."""

from __future__ import annotations

import math
from typing import Any

from traitlets.config import Config

import jhext
from jhext.culler.granted import Shortest, grant
from jhext.culler.model import servers_of
from jhext.culler.policy import Rules
from jhext.culler.settings import CullerSettings
from tests.unit.culler.fake_hub import running

WRITTEN: dict[str, Any] = {"profiles": {"lab": {"timeout": "2h", "max_age": "never"}}}


async def test_a_start_keeps_the_limits_in_the_state(make_spawner: Any) -> None:
    config = Config()
    profiles = [{"slug": "lab", "display_name": "Lab", "allow_all": True}]
    jhext.configure(config, {"profiles": profiles, "culler": WRITTEN})
    spawner = make_spawner(config=config)
    await spawner.load_user_options()
    own = spawner.get_state()["jhext"]
    assert own["cull"] == {"timeout": 7200.0, "max_age": "never"}
    spawner.note(extended_until=5.0)
    assert spawner.get_state()["jhext"] == {**own, "extended_until": 5.0}


def test_they_are_read_again() -> None:
    record = grant(CullerSettings(**WRITTEN), "lab")
    model = {"name": "bob", "groups": [], "servers": {"": running(9, 9, "lab", **record)}}
    limits = Rules(CullerSettings(max_age="3d")).limits(next(servers_of(model)))
    assert (limits.timeout, limits.max_age) == (7200.0, math.inf)
    assert limits.said_by["timeout"] == "granted.timeout"


def test_a_profile_without_a_rule_grants_nothing() -> None:
    assert grant(CullerSettings(), "lab") == {}
    assert grant(None, "lab") == {}


def test_the_shortest_of_all_is_known() -> None:
    shortest = Shortest()
    for record in ({}, {"cull": {"timeout": 9.0, "max_age": "never"}}, {"cull": {"timeout": 20}}):
        shortest.note(record)
    assert (shortest.timeout, shortest.max_age) == (9.0, math.inf)
