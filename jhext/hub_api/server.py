"""When a server will be stopped, why, and how its user puts that off."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import isoformat
from tornado import web

from jhext.culler.current import current_rules
from jhext.culler.model import servers_of
from jhext.culler.policy import END_OF_CALENDARS, Rules
from jhext.culler.verdict import Server, Why
from jhext.spawner import ProfileKubeSpawner
from jhext.units import parse_duration

_SAME = 1.0
"""Seconds that two times of one end may differ by, for what is rounded."""


class ServerHandler(APIHandler):  # type: ignore[misc]
    """``GET`` and ``POST /hub/api/jhext/servers/USER/NAME``; without a name the default server."""

    @needs_scope("access:servers")  # type: ignore[untyped-decorator]
    async def get(self, user_name: str, server_name: str = "") -> None:
        """Tell when the server is stopped if nobody uses it any more."""
        spawner, rules = await self._find(user_name, server_name)
        self.write(json.dumps(told(spawner, rules, time.time())))

    @needs_scope("access:servers")  # type: ignore[untyped-decorator]
    async def post(self, user_name: str, server_name: str = "") -> None:
        """Put the stop off, for the time that the body names as in ``{"for": "2h"}``."""
        spawner, rules = await self._find(user_name, server_name)
        body = self.get_json_body()
        try:
            seconds = parse_duration(body["for"]).total_seconds()
        except (TypeError, KeyError, ValueError):
            raise web.HTTPError(400, 'The body must be such as {"for": "2h"}') from None
        now = time.time()
        put_off(spawner, rules, now + seconds, now)
        self.db.commit()
        self.write(json.dumps(told(spawner, rules, now)))

    async def _find(self, user_name: str, server_name: str) -> tuple[ProfileKubeSpawner, Rules]:
        user = self.find_user(user_name)
        spawner = user.spawners.get(server_name) if user is not None else None
        if not isinstance(spawner, ProfileKubeSpawner) or not spawner.ready:
            raise web.HTTPError(404, "There is no such server that runs.")
        if (rules := await current_rules(spawner.settings)) is None:
            raise web.HTTPError(404, "No server is culled here.")
        return spawner, rules


def put_off(spawner: ProfileKubeSpawner, rules: Rules, until: float, now: float) -> None:
    """Put the stop of a server off until a time, or for as long as its rules let; never nearer.

    Raises
    ------
    web.HTTPError
        It cannot be put off.
    """
    ceiling = _ceiling(spawner, rules)
    if ceiling <= now:
        raise web.HTTPError(403, "The stop of this server cannot be put off any further.")
    spawner.note(extended_until=min(max(until, _server(spawner).extended_until), ceiling))
    # A stop that is as near as before keeps its notice: the culler, which gave it, says it once.
    spawner.note(notice=_notice(spawner, rules, now))


def told(spawner: ProfileKubeSpawner, rules: Rules, now: float) -> dict[str, Any]:
    """Say when a server is stopped if nobody uses it any more, and why."""
    server = _server(spawner)
    limits, verdict = rules.limits(server), rules.judge(server, now)
    at, why, rule = verdict.at, str(verdict.why), verdict.detail
    notice = _notice(spawner, rules, now)
    if notice is not None and notice["at"] < at + _SAME:
        at, why, rule = notice["at"], notice["why"], notice["rule"]
    return {
        "at": _written(at),
        "why": why,
        "rule": rule,
        "unless": limits.said_by["busy_if"] if limits.busy_if else None,
        "seconds_left": None if at == math.inf else max(0, round(at - now)),
        "can_be_put_off_until": _written(_ceiling(spawner, rules) or math.inf),
        "notice": notice and {**notice, "at": _written(notice["at"])},
    }


def _notice(spawner: ProfileKubeSpawner, rules: Rules, now: float) -> Mapping[str, Any] | None:
    """Give the notice of a stop, unless it has come to nothing since the culler gave it."""
    notice = spawner.notice
    if notice is None or notice["why"] == Why.REVOKED:
        return notice
    server = _server(spawner)
    ends = [rules.judge(server, now).at]
    if rules.limits(server).busy_if:
        ends.append(rules.judge_busy(server, now).at)  # the stop that is left if it is busy
    return notice if any(abs(notice["at"] - end) < _SAME for end in ends) else None


def _server(spawner: ProfileKubeSpawner) -> Server:
    model = {
        "ready": spawner.ready,
        "pending": spawner.pending,
        "started": isoformat(spawner.orm_spawner.started),
        "last_activity": isoformat(spawner.orm_spawner.last_activity),
        "state": spawner.get_state(),
    }
    groups = [group.name for group in spawner.user.groups]
    user = {"name": spawner.user.name, "groups": groups, "servers": {spawner.name: model}}
    return next(servers_of(user))


def _ceiling(spawner: ProfileKubeSpawner, rules: Rules) -> float:
    """Tell until when the stop can be put off; 0 for not at all."""
    server = _server(spawner)
    limits = rules.limits(server)
    is_revoked = spawner.notice is not None and spawner.notice["why"] == Why.REVOKED
    if is_revoked or server.started is None or limits.shortest == math.inf:
        return 0.0
    return server.started + limits.extend_to if limits.extend_to else 0.0


def _written(moment: float) -> str | None:
    if moment > END_OF_CALENDARS:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
