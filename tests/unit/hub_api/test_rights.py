"""Who would no longer get the server that they have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from traitlets.config import Config

import jhext
from jhext import ProfileKubeSpawner
from jhext.hub_api.rights import lost_right
from jhext.profiles.access import Person
from jhext.profiles.catalog import Catalog

CHOICES = {
    "size": {
        "display_name": "Size",
        "choices": {
            "small": {"display_name": "Small", "default": True},
            "large": {"display_name": "Large", "allowed_groups": ["large"]},
        },
    }
}


def profile(**access: Any) -> dict[str, Any]:
    return {"slug": "lab", "display_name": "Lab", "profile_options": CHOICES, **access}


OTHER = {"slug": "other", "display_name": "Other", "allow_all": True}
CASES: dict[str, tuple[Any, list[str], dict[str, Any], str | None]] = {
    "still": (profile(allowed_groups=["staff"]), ["staff"], {}, None),
    "left the group": (profile(allowed_groups=["staff"]), [], {}, "no rule"),
    "blocked": (profile(allow_all=True, blocked_users=["ann"]), [], {}, "blocked_users: ann"),
    "withdrawn": ({**OTHER, "slug": "new"}, [], {}, "no such profile"),
    "choice still": (profile(allow_all=True), ["large"], {"size": "large"}, None),
    "choice lost": (profile(allow_all=True), [], {"size": "large"}, "no rule"),
    "choice that is gone": (
        {"slug": "lab", "display_name": "Lab", "allow_all": True},
        [],
        {"size": "small"},
        None,
    ),
}


@pytest.mark.parametrize(("now", "groups", "choices", "why"), CASES.values(), ids=CASES)
async def test_lost_rights(
    make_spawner: Any, now: Any, groups: list[str], choices: dict[str, str], why: str | None
) -> None:
    config = Config()
    jhext.configure(config, {"profiles": [now, OTHER]})
    spawner = make_spawner(config=config, groups=groups)
    spawner.load_state({"jhext": {"version": 1, "profile": "lab", "choices": choices}})
    assert await lost_right(spawner) == why


async def test_profiles_that_are_withdrawn(make_spawner: Any) -> None:
    """Nothing else has to be permitted. But an empty folder of profiles withdraws nothing."""
    for profiles, why in (([{**OTHER, "allow_all": False}], "none_permitted"), ([], None)):
        config = Config()
        jhext.configure(config, {"profiles": profiles})
        spawner = make_spawner(config=config)
        spawner.load_state({"jhext": {"version": 1, "profile": "lab"}})
        assert await lost_right(spawner) == why


async def test_what_cannot_be_decided_is_no_lost_right(make_spawner: Any) -> None:
    def broken(spawner: Any) -> Any:
        raise RuntimeError("the database is away")

    def faulty(spawner: Any) -> Any:
        return [{**profile(allow_all=True), "allowed_user": ["x"]}, OTHER]

    for profile_list in (broken, faulty):
        config = Config({"ProfileKubeSpawner": {"profile_list": profile_list}})
        spawner = make_spawner(config=config)
        spawner.load_state({"jhext": {"version": 1, "profile": "lab"}})
        assert await lost_right(spawner) is None


async def test_servers_that_were_granted_nothing(make_spawner: Any) -> None:
    spawner = make_spawner(config=Config({"ProfileKubeSpawner": {"default_access": "allow"}}))
    assert await lost_right(spawner) is None
    assert await lost_right(object()) is None


async def test_the_class_of_the_spawner_is_asked(make_spawner: Any) -> None:
    """What decides its starts decides here, too: who a person is, and which profiles there are."""

    class Staff(ProfileKubeSpawner):
        async def person(self, catalog: Catalog) -> Person:
            return replace(await super().person(catalog), groups=frozenset({"staff"}))

    class NoMore(ProfileKubeSpawner):
        async def catalog(self) -> Catalog | None:
            catalog = await super().catalog()
            assert catalog
            return Catalog([(catalog.profiles[1], {})], catalog.policy)

    for kind, allowed, why in (
        (ProfileKubeSpawner, {"allowed_groups": ["staff"]}, "no rule"),
        (Staff, {"allowed_groups": ["staff"]}, None),
        (NoMore, {"allow_all": True}, "no such profile"),
    ):
        config = Config({"JupyterHub": {"spawner_class": kind}})
        jhext.configure(config, {"profiles": [profile(**allowed), OTHER]})
        spawner = make_spawner(config=config, kind=kind)
        spawner.load_state({"jhext": {"version": 1, "profile": "lab"}})
        assert await lost_right(spawner) == why


async def test_the_authenticator_blocks(make_spawner: Any) -> None:
    config = Config()
    jhext.configure(config, {"profiles": [profile(allow_all=True)]})
    spawner = make_spawner(config=config)
    spawner.load_state({"jhext": {"version": 1, "profile": "lab"}})
    spawner.user.authenticator.blocked_users = {spawner.user.name}
    assert await lost_right(spawner) == "Authenticator.blocked_users"
