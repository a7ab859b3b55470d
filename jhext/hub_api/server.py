"""When a server will be stopped, why, and how its user puts that off."""

from __future__ import annotations

import asyncio
import json
import math
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import isoformat
from tornado import web

from jhext.culler.model import servers_of
from jhext.culler.policy import Rules, Server
from jhext.culler.settings import CullerSettings
from jhext.culler.source import File
from jhext.profiles.finding import ConfigurationError
from jhext.settings import Settings
from jhext.spawner import ProfileKubeSpawner
from jhext.units import parse_duration


class _Watched:
    """The rules of one settings file as they are now; those before while it is faulty."""

    def __init__(self, settings: Settings, culler: CullerSettings) -> None:
        self._settings = settings
        self._file = File(Path(settings.file)) if settings.file else None
        self._rules = Rules(culler)

    def read(self) -> Rules:
        """Read the rules where they have changed. This waits for the disk."""
        with suppress(ConfigurationError):  # the service says what is wrong
            if self._file is not None and self._file.changed():
                self._rules = Rules(self._file.read())
        return self._rules


_watched: dict[int, _Watched] = {}
"""By the identity of the settings, which live as long as the hub."""


class ServerHandler(APIHandler):  # type: ignore[misc]
    """``GET`` and ``POST /hub/api/jhext/servers/USER/NAME``; without a name the default server."""

    @needs_scope("access:servers")  # type: ignore[untyped-decorator]
    async def get(self, user_name: str, server_name: str = "") -> None:
        """Tell when the server is stopped if nobody uses it any more."""
        spawner, rules = await self._find(user_name, server_name)
        self._tell(spawner, rules)

    @needs_scope("access:servers")  # type: ignore[untyped-decorator]
    async def post(self, user_name: str, server_name: str = "") -> None:
        """Put the stop off, for the time that the body names as in ``{"for": "2h"}``."""
        spawner, rules = await self._find(user_name, server_name)
        body = self.get_json_body()
        try:
            seconds = parse_duration(body["for"]).total_seconds()
        except (TypeError, KeyError, ValueError):
            raise web.HTTPError(400, 'The body must be such as {"for": "2h"}') from None
        server = _server(spawner)
        ceiling = _ceiling(server, rules)
        now = time.time()
        if ceiling <= now:
            raise web.HTTPError(403, "The stop of this server cannot be put off any further.")
        spawner.extend(min(now + seconds, ceiling))
        spawner.orm_spawner.state = spawner.get_state()
        self.db.commit()
        self._tell(spawner, rules)

    async def _find(self, user_name: str, server_name: str) -> tuple[ProfileKubeSpawner, Rules]:
        user = self.find_user(user_name)
        spawner = user.spawners.get(server_name) if user is not None else None
        if not isinstance(spawner, ProfileKubeSpawner) or not spawner.ready:
            raise web.HTTPError(404, "There is no such server that runs.")
        settings = spawner.settings
        if settings is None or settings.culler is None:
            raise web.HTTPError(404, "No server is culled here.")
        watched = _watched.setdefault(id(settings), _Watched(settings, settings.culler))
        return spawner, await asyncio.to_thread(watched.read)

    def _tell(self, spawner: ProfileKubeSpawner, rules: Rules) -> None:
        server, now = _server(spawner), time.time()
        verdict = rules.judge(server, now)
        told = {
            "at": _written(verdict.at),
            "seconds_left": None if verdict.at == math.inf else max(0, round(verdict.at - now)),
            "why": verdict.why,
            "rule": verdict.detail,
            "can_be_put_off_until": _written(_ceiling(server, rules) or math.inf),
        }
        self.write(json.dumps(told))


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


def _ceiling(server: Server, rules: Rules) -> float:
    """Tell until when the stop can be put off; 0 for not at all."""
    limits = rules.limits(server)
    if server.started is None or not limits.extend_to or limits.shortest == math.inf:
        return 0.0
    return server.started + limits.extend_to


def _written(moment: float) -> str | None:
    if moment == math.inf:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
