"""Whose servers are idle or old: asked of the database in one go, where paging loads everything."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.utils import isoformat
from tornado import web

from jhext.culler.granted import SHORTEST

from .listing import listed_people, needs_listing, parts_for_queries

_AT_A_TIME = 200
"""How many servers are told before others are let in."""

_Row = tuple[int, str, bool, str, datetime | None, datetime | None]
"""The person's id and name, whether they are an admin; the server's name, start and last use."""


class IdleHandler(APIHandler):  # type: ignore[misc]
    """``GET /hub/api/jhext/idle?timeout=SECONDS&max_age=SECONDS&warn_before=SECONDS``.

    Answers with what ``GET /users`` says of the same servers: those which nobody has used for
    ``timeout``, and those which were started ``max_age`` ago. A server that was granted shorter
    limits at its start is among them, too, and so much before them as ``warn_before`` says. With
    ``?user=NAME&user=NAME`` instead it answers with all servers of these people.
    """

    @needs_listing
    async def get(self) -> None:
        """Answer."""
        if names := [*dict.fromkeys(self.get_arguments("user", strip=False))]:
            found = map(self._of, parts_for_queries(names))
        else:
            found = map(self._told, _parts(self._ids(self._due())))
        separator = "["
        # Thousands may be idle for as long as the shortest rule says: others are let in meanwhile,
        # and text is kept of them alone, which no garbage collection has to look through.
        for number, rows in enumerate(found):
            if number:  # nor is a look at one person kept waiting for the stops of others
                await asyncio.sleep(0)
            for model in self._people(rows):
                self.write(separator + json.dumps(model))
                separator = ", "
        self.write("]" if separator == ", " else "[]")

    def _due(self) -> sa.ColumnElement[bool]:
        now = datetime.now(UTC).replace(tzinfo=None)
        early = self._seconds("warn_before", "0")
        timeout = min(self._seconds("timeout"), max(0.0, SHORTEST.timeout - early))
        max_age = min(self._seconds("max_age"), max(0.0, SHORTEST.max_age - early))
        return _due(_before(now, timeout), _before(now, max_age))

    def _of(self, names: Sequence[str]) -> Iterator[_Row]:
        """Give the same as `_told` for some people, from memory.

        The table of servers has no index by person, and only this process writes to it.
        """
        query = sa.select(orm.User.id, orm.User.name, orm.User.admin).where(
            orm.User.name.in_(names), *listed_people(self)
        )
        for user_id, name, admin in self.db.execute(query).all():
            spawners = self.users[user_id].spawners if user_id in self.users else {}
            for server, spawner in spawners.items():
                if spawner.active:
                    row = spawner.orm_spawner
                    yield user_id, name, admin, server, row.started, row.last_activity

    def _seconds(self, name: str, unless: str = "inf") -> float:
        try:
            seconds = float(self.get_argument(name, unless))
        except ValueError:
            seconds = math.nan
        if not seconds >= 0:
            raise web.HTTPError(400, f"{name} must be a number of seconds")
        return seconds

    def _ids(self, wanted: sa.ColumnElement[bool]) -> list[tuple[int, int]]:
        """Give the ids of the people and of their servers, those of one person together."""
        query = (
            sa.select(orm.Spawner.user_id, orm.Spawner.id)
            .join(orm.User, orm.Spawner.user_id == orm.User.id)
            .where(orm.Spawner.server_id.is_not(None), wanted, *listed_people(self))
        )
        return sorted((user_id, server_id) for user_id, server_id in self.db.execute(query))

    def _told(self, ids: Sequence[tuple[int, int]]) -> Iterator[_Row]:
        """Give what the database has of servers."""
        query = (
            sa.select(
                orm.User.id,
                orm.User.name,
                orm.User.admin,
                orm.Spawner.name,
                orm.Spawner.started,
                orm.Spawner.last_activity,
            )
            .join(orm.Spawner, orm.Spawner.user_id == orm.User.id)
            .where(orm.Spawner.id.in_([server_id for _, server_id in ids]))
            .where(orm.Spawner.server_id.is_not(None))
        )
        yield from self.db.execute(query)

    def _people(self, rows: Iterable[_Row]) -> Iterable[Any]:
        may_see = self.get_scope_filter("read:servers")
        people: dict[int, Any] = {}
        for user_id, name, admin, server, started, last_activity in rows:
            # Whoever is not in memory has no running server.
            if user_id not in self.users:
                continue
            user = self.users[user_id]
            if (spawner := user.spawners.get(server)) is None:
                continue
            model = people.setdefault(user_id, {"name": name, "admin": admin, "servers": {}})
            if may_see(spawner, kind="server"):
                model["servers"][server] = self._server(spawner, server, started, last_activity)
        self._add_groups(people)
        return people.values()

    def _server(
        self, spawner: Any, name: str, started: datetime | None, last_activity: datetime | None
    ) -> dict[str, Any]:
        model = {
            "name": name,
            "started": isoformat(started),
            "last_activity": isoformat(last_activity),
            "ready": spawner.ready,
            "pending": spawner.pending,
        }
        if self.get_scope_filter("admin:server_state")(spawner, kind="server"):
            model["state"] = spawner.get_state()
        return model

    def _add_groups(self, people: Mapping[int, Any]) -> None:
        may_see = self.get_scope_filter("read:users:groups")
        seen = [user_id for user_id in people if may_see(self.users[user_id], kind="user")]
        for user_id in seen:
            people[user_id]["groups"] = []
        membership = orm.user_group_map.c
        query = (
            sa.select(membership.user_id, orm.Group.name)
            .join(orm.Group, orm.Group.id == membership.group_id)
            .where(membership.user_id.in_(seen))
        )
        for user_id, group in self.db.execute(query):
            people[user_id]["groups"].append(group)


def _parts(ids: Sequence[tuple[int, int]]) -> Iterator[Sequence[tuple[int, int]]]:
    """Divide servers into some at a time, with all of a person in one part."""
    begin = 0
    while begin < len(ids):
        end = min(begin + _AT_A_TIME, len(ids))
        while end < len(ids) and ids[end][0] == ids[end - 1][0]:
            end += 1
        yield ids[begin:end]
        begin = end


def _before(now: datetime, seconds: float) -> datetime | None:
    """Give the moment so long ago; None where it is before all time."""
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError:
        return None


def _due(timeout: datetime | None, max_age: datetime | None) -> sa.ColumnElement[bool]:
    started, used = orm.Spawner.started, orm.Spawner.last_activity
    due: list[sa.ColumnElement[bool]] = []
    if timeout is not None:
        due.append(
            sa.and_(
                sa.or_(used.is_(None), used <= timeout),
                sa.or_(started.is_(None), started <= timeout),
            )
        )
    if max_age is not None:
        due.append(started <= max_age)
    return sa.or_(sa.false(), *due)
