"""Which servers the hub tells as idle or old: none is missed that is due, or to be warned."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from inspect import unwrap
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from jupyterhub import orm
from jupyterhub.scopes import Scope
from sqlalchemy.orm import Session

from jhext.culler.granted import SHORTEST
from jhext.hub_api import idle, listing
from jhext.hub_api.idle import IdleHandler

MINUTE = 60.0


class Asked(IdleHandler):  # type: ignore[misc]
    """The handler, asked with these arguments."""

    parsed_scopes = {"list:users": Scope.ALL}
    db = users = None

    def __init__(self, *names: str, **arguments: float) -> None:
        self.names = names
        self.arguments = arguments
        self.written = ""

    def get_arguments(self, name: str, strip: bool = True) -> list[str]:
        return [name.strip() if strip else name for name in self.names]

    def get_scope_filter(self, req_scope: str) -> Any:
        return lambda resource, kind: True

    def write(self, chunk: Any) -> None:
        self.written += chunk

    def get_argument(self, name: str, default: Any = None) -> Any:
        return str(self.arguments[name]) if name in self.arguments else default


@pytest.fixture
def session() -> Iterator[Session]:
    """Give a database with servers that were used so many minutes ago as their names say."""
    engine = sa.create_engine("sqlite://")
    orm.Base.metadata.create_all(engine)
    now = datetime.now(UTC).replace(tzinfo=None)
    with Session(engine) as session:
        user = orm.User(name="bob")
        for minutes in (2, 7, 12, 57):
            used = now - timedelta(minutes=minutes)
            session.add(orm.Spawner(name=str(minutes), user=user, started=used, last_activity=used))
        session.commit()
        yield session
    engine.dispose()


@pytest.mark.parametrize(
    ("granted", "asked", "told"),
    [
        ({}, {"timeout": 55 * MINUTE}, {"57"}),
        ({"timeout": 10 * MINUTE}, {"timeout": 55 * MINUTE}, {"12", "57"}),
        ({"max_age": 10 * MINUTE}, {"timeout": 55 * MINUTE}, {"12", "57"}),
        # Whoever is to be told of a stop five minutes before is told by then.
        ({"timeout": 10 * MINUTE}, {"warn_before": 5 * MINUTE}, {"7", "12", "57"}),
        ({"max_age": 10 * MINUTE}, {"warn_before": 5 * MINUTE}, {"7", "12", "57"}),
        ({"timeout": MINUTE}, {"warn_before": 5 * MINUTE}, {"2", "7", "12", "57"}),
        ({}, {"warn_before": 5 * MINUTE}, set()),
    ],
)
def test_limits_that_were_granted(
    session: Session, monkeypatch: Any, granted: Any, asked: Any, told: set[str]
) -> None:
    for key in ("timeout", "max_age"):
        monkeypatch.setattr(SHORTEST, key, granted.get(key, float("inf")))
    found = session.scalars(sa.select(orm.Spawner.name).where(Asked(**asked)._due()))
    assert set(found) == told


@pytest.mark.parametrize("people", [0, 1, 5])
async def test_others_are_let_in_while_many_are_told(people: int, monkeypatch: Any) -> None:
    """However many are idle; each person is told once, with all their servers."""
    monkeypatch.setattr(idle, "_AT_A_TIME", 2)
    engine = sa.create_engine("sqlite://")
    orm.Base.metadata.create_all(engine)
    handler, names = Asked(timeout=0), ("", "a", "b")
    spawner = SimpleNamespace(ready=True, pending=None, get_state=dict)
    with Session(engine) as handler.db:
        users = [orm.User(name=f"user{n}") for n in range(people)]
        for name in names:  # so that the servers of one person are not side by side
            for user in users:
                handler.db.add(orm.Spawner(name=name, user=user, server=orm.Server()))
                handler.db.flush()
        shared = orm.Group(name="staff", users=users[:1])
        handler.db.add(shared)
        handler.db.commit()
        handler.users = {
            user.id: SimpleNamespace(spawners=dict.fromkeys(names, spawner)) for user in users
        }
        let_in = 0

        async def others() -> None:
            nonlocal let_in
            while True:
                await asyncio.sleep(0)
                let_in += 1

        task = asyncio.create_task(others())
        await unwrap(IdleHandler.get)(handler)
        task.cancel()
    engine.dispose()
    told = json.loads(handler.written)
    assert {user["name"]: set(user["servers"]) for user in told} == {
        f"user{n}": set(names) for n in range(people)
    }
    assert len(told) == people
    assert [user["name"] for user in told if user["groups"]] == ["user0"] * bool(people)
    assert let_in >= people - 2  # the first time they only begin


async def test_some_people_by_name(session: Session, monkeypatch: Any) -> None:
    """From memory, as many as are asked for at a time: who runs something, by their whole names."""
    monkeypatch.setattr(listing, "_MANY", 2)
    used = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def spawner(active: bool) -> Any:
        row = SimpleNamespace(started=None, last_activity=used.replace(tzinfo=None))
        told = {"active": active, "ready": active, "pending": None, "get_state": dict}
        return SimpleNamespace(orm_spawner=row, **told)

    users = {name: orm.User(name=name) for name in ("ann", " ann", "eve", "idle")}
    session.add_all(users.values())
    session.commit()
    spawners = {"": spawner(True), "ended": spawner(False)}
    handler = Asked("ann", "idle", "ann", "bob", "nobody", " ann")
    handler.db = session
    handler.users = {
        users["ann"].id: SimpleNamespace(spawners=spawners),
        users["eve"].id: SimpleNamespace(spawners=spawners),
        users[" ann"].id: SimpleNamespace(spawners={"lab": spawner(True)}),
        users["idle"].id: SimpleNamespace(spawners={"": spawner(False)}),
    }
    await unwrap(IdleHandler.get)(handler)
    told = {user["name"]: user["servers"] for user in json.loads(handler.written)}
    assert {name: [*servers] for name, servers in told.items()} == {"ann": [""], " ann": ["lab"]}
    assert told["ann"][""]["last_activity"] == "2026-01-02T03:04:05Z"
    assert len(json.loads(handler.written)) == 2
