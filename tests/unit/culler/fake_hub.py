"""A hub with JupyterHub's REST API as the culler uses it, and with faults that are asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from jhext.culler.work import BASE_SCOPES

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC).timestamp()


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def running(idle: float = 0, age: float = 86400, profile: str = "", **state: Any) -> dict[str, Any]:
    """Give a server that runs."""
    own = {"jhext": {"profile": profile, **state}} if profile else {}
    return {
        "started": stamp(NOW - age),
        "last_activity": stamp(NOW - idle),
        "ready": True,
        "pending": None,
        "state": own,
    }


@dataclass
class FakeHub:
    """
    The hub.

    Attributes
    ----------
    users
        The servers of everybody, by user and name.
    revoked, notices
        What the handlers of ours say and are told; None for a hub without them. Of a server whose
        reason is None nobody can tell.
    tells_idle
        Whether it has the one that tells who is idle.
    longest_page
        How many people it gives at a time at most, however many are asked for.
    fault
        Is given the method, the path and how often this was asked for; gives a status to answer
        with, "hang", "drop" or "half", or None.
    """

    users: dict[str, dict[str, dict[str, Any]]]
    groups: dict[str, list[str]] = field(default_factory=dict)
    scopes: list[str] = field(default_factory=lambda: sorted(BASE_SCOPES))
    fault: Callable[[str, str, int], int | str | None] = lambda method, path, count: None
    now: float = NOW
    seconds_per_stop: float = 0.0
    slow_stop: bool = False
    revoked: dict[str, str | None] | None = None
    notices: list[dict[str, Any]] | None = None
    tells_idle: bool = False
    longest_page: int = 200
    stopped: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    most_stops: int = 0
    url: str = ""
    _stops: int = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeHub]:
        application = web.Application(middlewares=[self._faulty])
        router = application.router
        router.add_get("/hub/api/user", self._me)
        router.add_get("/hub/api/users", self._page)
        router.add_get("/hub/api/users/{name:[^/]+}", self._one)
        router.add_delete("/hub/api/users/{name:[^/]+}", self._delete)
        router.add_delete("/hub/api/users/{name:[^/]+}/server", self._stop)
        router.add_delete("/hub/api/users/{name:[^/]+}/servers/{server:[^/]+}", self._stop)
        if self.revoked is not None:
            router.add_get("/hub/api/jhext/revoked", self._revoked)
        if self.tells_idle:
            router.add_get("/hub/api/jhext/idle", self._idle)
        if self.notices is not None:
            router.add_put("/hub/api/jhext/notices", self._notices)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/hub/api"
        try:
            yield self
        finally:
            await runner.cleanup()

    @web.middleware
    async def _faulty(self, request: web.Request, handler: Any) -> web.StreamResponse:
        asked = (request.method, request.raw_path.removeprefix("/hub/api"))
        self.asked.append(asked)
        fault = self.fault(*asked, self.asked.count(asked))
        if isinstance(fault, int):
            return web.json_response({"message": f"fault {fault}"}, status=fault)
        if fault == "hang":
            await asyncio.sleep(30)
        if fault == "drop" and request.transport:
            request.transport.close()
        answer: web.StreamResponse = await handler(request)
        if fault == "half" and isinstance(answer, web.Response):
            text = answer.text or ""
            answer = web.Response(text=text[: len(text) // 2])
        answer.headers["Date"] = datetime.fromtimestamp(self.now, UTC).strftime(
            "%a, %d %b %Y %H:%M:%S GMT"
        )
        return answer

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response({"name": "jhext-culler", "scopes": self.scopes})

    async def _page(self, request: web.Request) -> web.Response:
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        limit = min(limit, self.longest_page)
        wanted = request.query["state"] == "active"
        names = [name for name, servers in self.users.items() if bool(servers) is wanted]
        following = offset + limit
        place = {
            "offset": offset,
            "limit": limit,
            "total": len(names),
            "next": {"offset": following, "limit": limit, "url": ""}
            if following < len(names)
            else None,
        }
        items = [self._model(name) for name in names[offset:following]]
        return web.json_response({"items": items, "_pagination": place})

    def _model(self, name: str) -> dict[str, Any]:
        servers = {server: {"name": server, **it} for server, it in self.users[name].items()}
        return {
            "name": name,
            "admin": False,
            "groups": self.groups.get(name, []),
            "servers": servers,
            "last_activity": stamp(NOW - 7200),
        }

    async def _one(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.users:
            raise web.HTTPNotFound(text=json.dumps({"message": "no"}))
        return web.json_response(self._model(name))

    async def _delete(self, request: web.Request) -> web.Response:
        del self.users[request.match_info["name"]]
        return web.Response(status=204)

    async def _stop(self, request: web.Request) -> web.Response:
        user, server = request.match_info["name"], request.match_info.get("server", "")
        self._stops += 1
        self.most_stops = max(self.most_stops, self._stops)
        await asyncio.sleep(self.seconds_per_stop)
        self._stops -= 1
        self.stopped.append(f"{user}/{server}")
        if self.slow_stop:
            self.users[user][server] |= {"pending": "stop", "ready": False}
            return web.Response(status=202)
        del self.users[user][server]
        return web.Response(status=204)

    async def _idle(self, request: web.Request) -> web.Response:
        wanted = request.query.getall("user", None)
        before = stamp(self.now - float(request.query.get("timeout", "inf"))) if not wanted else "9"
        found = []
        for name in self.users if wanted is None else {*wanted} & self.users.keys():
            model = self._model(name)
            servers = model["servers"].items()
            model["servers"] = {
                server: it for server, it in servers if it["last_activity"] <= before
            }
            found += [model] if model["servers"] else []
        return web.json_response(found)

    async def _notices(self, request: web.Request) -> web.Response:
        assert self.notices is not None
        self.notices.append(await request.json())
        return web.Response(status=204)

    async def _revoked(self, request: web.Request) -> web.Response:
        wanted = request.query.get("user")
        found = [
            {"server": name} | ({} if reason is None else {"reason": reason})
            for name, reason in (self.revoked or {}).items()
            if wanted is None or name.startswith(f"{wanted}/")
        ]
        return web.json_response(found)
