"""What is granted at a start is kept, and holds when the profile has no rule any more."""

from __future__ import annotations

import math
from typing import Any

import pytest
from traitlets.config import Config

import jhext
from jhext.culler.granted import Shortest, grant
from jhext.culler.model import servers_of
from jhext.culler.policy import Rules
from jhext.culler.settings import CullerSettings
from jhext.settings import load_settings
from tests.unit.culler.fake_hub import running

PROFILES = [{"slug": "lab", "display_name": "Lab", "allow_all": True}]
WRITTEN: dict[str, Any] = {"profiles": {"lab": {"timeout": "2h", "max_age": "never"}}}


async def test_a_start_keeps_the_limits_in_the_state(make_spawner: Any) -> None:
    config = Config()
    jhext.configure(config, {"profiles": PROFILES, "culler": WRITTEN})
    spawner = make_spawner(config=config)
    await spawner.load_user_options()
    own = spawner.get_state()["jhext"]
    assert own["cull"] == {"timeout": 7200.0, "max_age": "never"}
    spawner.note(extended_until=5.0)
    assert spawner.get_state()["jhext"] == {**own, "extended_until": 5.0}


@pytest.mark.parametrize(
    ("trait", "is_other"),
    [
        ({}, False),
        ({"profile_mapping_files": ["/here"]}, False),
        ({"profile_mapping_files": ["/here", "/more"]}, True),
        ({"profile_mapping_files": []}, True),
        ({"profile_files": ["/more"]}, True),
        ({"profile_list": [{"slug": "x", "display_name": "X"}]}, True),
        ({"profile_list": lambda spawner: []}, True),
    ],
)
async def test_a_state_tells_of_rules_outside_of_the_settings(
    make_spawner: Any, trait: dict[str, Any], is_other: bool
) -> None:
    """As they are when somebody asks: what an earlier hub had kept does not count."""
    hub = {"profile_mapping_files": ["/here"]}
    settings = load_settings({"profiles": PROFILES, "hub": hub, "culler": WRITTEN})
    config = Config({"ProfileKubeSpawner": {"settings": settings}, "KubeSpawner": trait})
    spawner = make_spawner(config=config)
    spawner.load_state({"jhext": {"profile": "lab", "other_rules": True}})
    other = {"other_rules": True} if is_other else {}
    assert spawner.get_state()["jhext"] == {"profile": "lab", **other}


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
