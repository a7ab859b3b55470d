"""What people find at their servers about a stop that is near."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from jhext.recorded import RecordedKubeSpawner

_AT_A_TIME = 500
"""How many people are looked at before others are let in."""


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
        for number, user in enumerate(list(self.users.values())):
            if number % _AT_A_TIME == 0:
                await asyncio.sleep(0)
            for name, spawner in list(user.spawners.items()):
                if not isinstance(spawner, RecordedKubeSpawner) or not spawner.ready:
                    continue
                notice = wanted.get(f"{user.name}/{name}")
                if notice != spawner.notice and may_set(spawner, kind="server"):
                    spawner.note(notice=notice)
        self.db.commit()
        self.set_status(204)


def _read(body: Any) -> Mapping[str, Mapping[str, Any]]:
    try:
        return {name: _notice(**notice) for name, notice in body.items()}
    except (AttributeError, TypeError, ValueError):
        raise web.HTTPError(400, "The body must name servers with at, why and rule.") from None


def _notice(at: float, why: str, rule: str) -> Mapping[str, Any]:
    if not math.isfinite(at) or not isinstance(why, str) or not isinstance(rule, str):
        raise ValueError
    return {"at": at, "why": why, "rule": rule}
