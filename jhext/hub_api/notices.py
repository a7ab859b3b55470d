"""What people find at their servers about a stop that is near."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from jhext.recorded import NOTICED, RecordedKubeSpawner

from .listing import parts_for_queries

_AT_A_TIME = 100
"""How many servers are written down before others are let in."""


class NoticesHandler(APIHandler):  # type: ignore[misc]
    """``PUT /hub/api/jhext/notices``: the notices of all servers that have one, by USER/NAME.

    Each says ``at`` in seconds since 1970, ``why`` and ``rule``. Those of other servers are taken
    away. They are part of the servers' states.
    """

    @needs_scope("admin:server_state")  # type: ignore[untyped-decorator]
    async def put(self) -> None:
        """Set them."""
        wanted = _read(self.get_json_body())
        may_set = self.get_scope_filter("admin:server_state")
        noticed = (spawner for spawner in NOTICED if spawner.notice is not None)
        for number, spawner in enumerate({*self._named(wanted), *noticed}):
            if number % _AT_A_TIME == _AT_A_TIME - 1:
                self.db.commit()
                await asyncio.sleep(0)
            notice = wanted.get(f"{spawner.user.name}/{spawner.name}")
            changes = notice != spawner.notice and spawner.ready
            if changes and may_set(spawner, kind="server"):
                spawner.note(notice=notice)
        self.db.commit()
        self.set_status(204)

    def _named(self, names: Iterable[str]) -> Iterator[RecordedKubeSpawner]:
        """Give the servers of these names, USER/NAME, of people that are in memory."""
        servers: dict[str, list[str]] = {}
        for name in names:
            user, _, server = name.partition("/")
            servers.setdefault(user, []).append(server)
        for some in parts_for_queries([*servers]):
            query = sa.select(orm.User.id, orm.User.name).where(orm.User.name.in_(some))
            for user_id, user in self.db.execute(query):
                spawners = self.users[user_id].spawners if user_id in self.users else {}
                for name in servers[user]:
                    if isinstance(spawner := spawners.get(name), RecordedKubeSpawner):
                        yield spawner


def _read(body: Any) -> Mapping[str, Mapping[str, Any]]:
    try:
        return {name: _notice(**notice) for name, notice in body.items()}
    except (AttributeError, TypeError, ValueError):
        raise web.HTTPError(400, "The body must name servers with at, why and rule.") from None


def _notice(at: float, why: str, rule: str) -> Mapping[str, Any]:
    if not math.isfinite(at) or not isinstance(why, str) or not isinstance(rule, str):
        raise ValueError
    return {"at": at, "why": why, "rule": rule}
