"""What is granted at a start is kept, and holds when the profile has no rule any more."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from traitlets.config import Config

import jhext
from jhext import ProfileKubeSpawner
from jhext.culler.granted import Shortest, grant
from jhext.culler.model import servers_of
from jhext.culler.policy import Rules
from jhext.culler.settings import CullerSettings
from jhext.hub_api.rights import lost_right
from jhext.profiles.access import Person
from jhext.profiles.catalog import Catalog
from jhext.recorded import NOTICED
from jhext.settings import Settings, load_settings
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
    ("trait", "is_elsewhere"),
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
    make_spawner: Any, tmp_path: Path, trait: dict[str, Any], is_elsewhere: bool
) -> None:
    """As they are when somebody asks: what an earlier hub had kept does not count."""
    settings = settings_in(tmp_path)
    config = Config({"ProfileKubeSpawner": {"settings": settings}, "KubeSpawner": trait})
    spawner = make_spawner(config=config)
    spawner.load_state({"jhext": {"profile": "lab", "origin": "of before"}})
    origin = {} if is_elsewhere else {"origin": settings.origin}
    assert spawner.get_state()["jhext"] == {"profile": "lab", **origin}


def settings_in(folder: Path) -> Settings:
    path = folder / "jhext.yaml"
    hub = {"profile_mapping_files": ["/here"]}
    path.write_text(yaml.safe_dump({"profiles": PROFILES, "hub": hub, "culler": WRITTEN}))
    return load_settings(path)


class ByPerson(ProfileKubeSpawner):
    async def person(self, catalog: Catalog) -> Person:
        return replace(await super().person(catalog), groups=frozenset({"staff"}))


class ByCatalog(ProfileKubeSpawner):
    async def catalog(self) -> Catalog | None:
        return await super().catalog()


class ByOptions(ProfileKubeSpawner):
    async def load_user_options(self) -> None:
        await super().load_user_options()


class Harmless(ProfileKubeSpawner):
    async def start(self) -> Any:
        return await super().start()


@pytest.mark.parametrize(
    ("kind", "decides"), [(ByPerson, True), (ByCatalog, True), (ByOptions, True), (Harmless, False)]
)
async def test_a_state_tells_of_a_class_that_decides_otherwise(
    make_spawner: Any, tmp_path: Path, kind: type[ProfileKubeSpawner], decides: bool
) -> None:
    config = Config({kind.__name__: {"settings": settings_in(tmp_path)}})
    spawner = make_spawner(config=config, kind=kind)
    spawner.load_state({"jhext": {"profile": "lab"}})
    assert ("origin" in spawner.get_state()["jhext"]) == (not decides)


async def test_a_notice_outlives_the_hub(make_spawner: Any) -> None:
    """A hub that is restarted finds the servers with one without looking at all."""
    spawner = make_spawner()
    spawner.load_state({"jhext": {"profile": "lab", "notice": {"at": 1.0, "why": "idle"}}})
    assert spawner in NOTICED
    again = make_spawner()
    again.load_state({"jhext": {"profile": "lab"}})
    assert again not in NOTICED
    again.note(notice={"at": 1.0, "why": "idle"})
    assert again in NOTICED


async def test_a_state_tells_of_profiles_that_a_hook_has_set(make_spawner: Any) -> None:
    """A hub that is restarted knows only what is configured, and not what a hook set."""
    config = Config()
    jhext.configure(config, {"profiles": PROFILES, "culler": WRITTEN})
    spawner = make_spawner(config=config)
    await spawner.load_user_options()
    assert "by_hook" not in spawner.get_state()["jhext"]
    spawner.profile_list = [{"slug": "mine", "display_name": "M", "allow_all": True}]
    spawner.user_options = {"profile": "mine"}
    await spawner.load_user_options()
    assert spawner.get_state()["jhext"]["by_hook"] is True
    again = make_spawner(config=config)
    again.load_state(spawner.get_state())
    assert again.get_state()["jhext"]["by_hook"] is True
    assert await lost_right(again) is None


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
