"""Who would no longer get the server that they have."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from inspect import unwrap
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config

import jhext
from jhext import ProfileKubeSpawner
from jhext.hub_api import revoked
from jhext.hub_api.rights import Undecided, lost_right
from jhext.profiles.access import Person
from jhext.profiles.catalog import Catalog
from jhext.refusal import Refusal

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


GONE_PROFILE = {"version": 1, "profile": "lab"}
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
        "undecided",
    ),
}


async def decided(spawner: Any) -> str | None:
    try:
        return await lost_right(spawner)
    except Undecided:
        return "undecided"


@pytest.mark.parametrize(("now", "groups", "choices", "why"), CASES.values(), ids=CASES)
async def test_lost_rights(
    make_spawner: Any, now: Any, groups: list[str], choices: dict[str, str], why: str | None
) -> None:
    config = Config()
    jhext.configure(config, {"profiles": [now, OTHER]})
    spawner = make_spawner(config=config, groups=groups)
    spawner.load_state({"jhext": {"version": 1, "profile": "lab", "choices": choices}})
    assert await decided(spawner) == why


async def test_profiles_that_are_withdrawn(make_spawner: Any) -> None:
    """Nothing else has to be permitted. But an empty folder of profiles withdraws nothing."""
    for profiles, why in (([{**OTHER, "allow_all": False}], "none_permitted"), ([], "undecided")):
        config = Config()
        jhext.configure(config, {"profiles": profiles})
        spawner = make_spawner(config=config)
        spawner.load_state({"jhext": {"version": 1, "profile": "lab"}})
        assert await decided(spawner) == why


async def test_what_cannot_be_decided_is_no_lost_right(make_spawner: Any) -> None:
    def broken(spawner: Any) -> Any:
        raise RuntimeError("the database is away")

    def faulty(spawner: Any) -> Any:
        return [{**profile(allow_all=True), "allowed_user": ["x"]}, OTHER]

    for profile_list in (broken, faulty):
        config = Config({"ProfileKubeSpawner": {"profile_list": profile_list}})
        spawner = make_spawner(config=config)
        spawner.load_state({"jhext": {"version": 1, "profile": "lab"}})
        assert await decided(spawner) == "undecided"


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


@pytest.mark.parametrize(
    "record",
    [{"version": 1, "uid": 1001}, {"version": 1, "profile": "lab", "by_hook": True}, GONE_PROFILE],
)
async def test_an_account_that_is_gone(make_spawner: Any, record: dict[str, Any]) -> None:
    """It has no right to any server, whatever there is to say about its profile."""
    known = {"ann": {"uid": 1001, "gid": 1001}}
    config = Config()
    source = {"type": "function", "function": lambda person: known.get(person.name)}
    identity = {"sources": [source], "ttl": 0, "unique_uid": "off"}
    jhext.configure(config, {"profiles": [], "identity": identity})
    spawner = make_spawner(config=config)
    spawner.load_state({"jhext": record})
    assert await decided(spawner) == ("undecided" if record == GONE_PROFILE else None)
    known.clear()
    assert "no source knows" in (await lost_right(spawner) or "")
    known["ann"] = {"uid": 1001, "gid": 1001}
    spawner.user.authenticator.blocked_users = {"ann"}
    assert await lost_right(spawner) == "Authenticator.blocked_users"


async def test_a_name_service_that_may_be_away_deletes_nobody(make_spawner: Any) -> None:
    config = Config()
    identity = {"sources": [{"type": "host"}], "unique_uid": "off"}
    jhext.configure(config, {"profiles": [OTHER], "identity": identity})
    spawner = make_spawner(config=config, user="nobody-of-this-name")
    spawner.load_state({"jhext": {"version": 1, "profile": "other"}})
    with pytest.raises(Refusal, match="no source knows"):
        await spawner.identify()
    assert await decided(spawner) == "undecided"


async def test_code_of_the_operator_that_fails(make_spawner: Any) -> None:
    config = Config()
    jhext.configure(config, {"profiles": [OTHER]})
    spawner = make_spawner(config=config)
    spawner.load_state({"jhext": {"version": 1, "profile": "lab"}})
    assert await lost_right(spawner) == "no such profile"
    spawner.user.authenticator.check_blocked_users = lambda name, authentication: 1 / 0
    assert await decided(spawner) == "undecided"


async def test_many_are_decided_about_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that is slow is waited for by many at a time: in a row it would take too long."""
    together = asyncio.Barrier(revoked._AT_A_TIME)

    async def lost(spawner: Any) -> str:
        await together.wait()
        return "blocked"

    monkeypatch.setattr(revoked, "lost_right", lost)
    servers = {"": SimpleNamespace(ready=True), "starts": SimpleNamespace(ready=False)}
    names = [f"user{n}" for n in range(2 * revoked._AT_A_TIME)]
    users = [SimpleNamespace(name=name, active=True, spawners=servers) for name in names]
    users.append(SimpleNamespace(name="gone", active=False))
    async with asyncio.timeout(60):
        answer = await answered(users, ALL)
    assert [item["server"] for item in answer] == [f"{name}/" for name in names]


ALL = {"list:users", "read:servers", "read:users:groups"}


async def answered(users: list[Any], scopes: set[str], wanted: str | None = None) -> Any:
    """Give what the handler answers to a token with these scopes on everybody."""
    written: list[str] = []

    def argument(name: str, default: Any, strip: bool = True) -> Any:
        return default if wanted is None else wanted.strip() if strip else wanted

    handler = SimpleNamespace(
        users=dict(enumerate(users)),
        get_argument=argument,
        get_scope_filter=lambda scope: lambda shown, kind: scope in scopes,
        write=written.append,
    )
    await unwrap(revoked.RevokedHandler.get)(handler)
    return json.loads(written[0])


async def test_one_is_asked_about_by_the_whole_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(spawner: Any) -> str:
        return "blocked"

    monkeypatch.setattr(revoked, "lost_right", lost)
    servers = {"": SimpleNamespace(ready=True)}
    users = [SimpleNamespace(name=name, active=True, spawners=servers) for name in ("ann", " ann")]
    for user in users:
        (told,) = await answered(users, ALL, user.name)
        assert told["server"] == f"{user.name}/"


@pytest.mark.parametrize(
    ("scopes", "shown"),
    [
        (ALL - {"read:servers", "read:users:groups"}, []),
        (ALL - {"read:servers"}, []),
        (
            ALL - {"read:users:groups"},
            [{"server": "ann/lost", "reason": "revoked"}, {"server": "ann/unknown"}],
        ),
        (ALL, [{"server": "ann/lost", "reason": "blocked_groups: x"}, {"server": "ann/unknown"}]),
        (set(), []),
    ],
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, set) else "",
)
async def test_who_is_told_what(
    monkeypatch: pytest.MonkeyPatch, scopes: set[str], shown: list[dict[str, str]]
) -> None:
    """Servers only to whoever may read them, as in ``GET /users``, and rules name groups."""

    async def lost(spawner: Any) -> str | None:
        if spawner.name == "unknown":
            raise Undecided
        return "blocked_groups: x" if spawner.name == "lost" else None

    monkeypatch.setattr(revoked, "lost_right", lost)
    names = ("lost", "unknown", "kept")
    servers = {name: SimpleNamespace(name=name, ready=True) for name in names}
    assert await answered([SimpleNamespace(name="ann", active=True, spawners=servers)], scopes) == (
        shown
    )
