"""A hub that answers a culler from pages made beforehand: ``python -m benchmarks.culler_hub``."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from aiohttp import web

from jhext.culler.work import BASE_SCOPES

HOUR = timedelta(hours=1)
GRANTED = {"version": 1, "profile": "small", "cull": {"timeout": HOUR.total_seconds()}}
"""What is kept with a server of a profile that has a rule."""


class FakeHub:
    """People with one server each, of whom every so many-th is idle.

    Parameters
    ----------
    size
        How many people there are.
    idle_every
        Every so many-th is idle; 0 for none.
    stop_seconds
        How long a stop takes.
    faulty
        Whether every 40th page and every 10th stop is answered with 503 once.
    back
        Whether the idle ones use their servers again once they have been listed.
    """

    def __init__(
        self, size: int, idle_every: int, stop_seconds: float, *, faulty: bool, back: bool
    ) -> None:
        self.size, self.idle_every, self.stop_seconds = size, idle_every, stop_seconds
        self.faulty, self.back = faulty, back
        self.now = datetime.now(UTC)
        self.stopped: set[str] = set()
        self.requests: Counter[str] = Counter()
        # Rendered once and not per cycle: the hub is not what is measured.
        self.page = lru_cache(maxsize=None)(self._page)
        self.url = ""

    def application(self) -> web.Application:
        application = web.Application()
        router = application.router
        router.add_get("/hub/api/", self._version)
        router.add_get("/hub/api/user", self._me)
        router.add_get("/hub/api/users", self._users)
        router.add_get("/hub/api/users/{name}", self._user)
        router.add_delete("/hub/api/users/{name}/server", self._stop)
        router.add_get("/stats", self._stats)
        return application

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response({"version": "6.1.1"})

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response({"name": "culler", "scopes": sorted(BASE_SCOPES)})

    async def _users(self, request: web.Request) -> web.Response:
        self.requests["pages"] += 1
        if self.faulty and self.requests["pages"] % 40 == 0:
            raise web.HTTPServiceUnavailable
        offset = int(request.query.get("offset", 0))
        limit = int(request.query.get("limit", 50))
        return web.Response(body=self.page(offset, limit), content_type="application/json")

    def _page(self, offset: int, limit: int) -> bytes:
        following = offset + limit
        url = f"{self.url}/hub/api/users?state=ready&offset={following}&limit={limit}"
        place = {
            "offset": offset,
            "limit": limit,
            "total": self.size,
            "next": {"offset": following, "limit": limit, "url": url}
            if following < self.size
            else None,
        }
        users = [self._model(n, back=False) for n in range(offset, min(following, self.size))]
        return json.dumps({"items": users, "_pagination": place}).encode()

    def _model(self, number: int, *, back: bool) -> dict[str, Any]:
        name = f"user-{number}"
        idle = self.idle_every and number % self.idle_every == 0 and not back
        used = self.now - 5 * HOUR if idle else self.now
        server = {
            "name": "",
            "display_name": "",
            "full_name": f"{name}/",
            "last_activity": _stamp(used),
            "started": _stamp(self.now - 30 * HOUR),
            "pending": None,
            "ready": True,
            "stopped": False,
            "url": f"/user/{name}/",
            "user_options": {"profile": "small"},
            "progress_url": f"/hub/api/users/{name}/server/progress",
            "full_url": None,
            "full_progress_url": None,
            "state": {"pod_name": f"jupyter-{name}", "jhext": GRANTED},
        }
        return {
            "kind": "user",
            "name": name,
            "admin": False,
            "roles": ["user"],
            "groups": ["staff", f"lab-{number % 50}"],
            "server": f"/user/{name}/",
            "pending": None,
            "created": _stamp(self.now - 9000 * HOUR),
            "last_activity": _stamp(used),
            "servers": {"": server},
        }

    async def _user(self, request: web.Request) -> web.Response:
        self.requests["people"] += 1
        name = request.match_info["name"]
        model = self._model(int(name.rpartition("-")[2]), back=self.back)
        if name in self.stopped:
            model["servers"] = {}
        return web.json_response(model)

    async def _stop(self, request: web.Request) -> web.Response:
        self.requests["stops"] += 1
        if self.faulty and self.requests["stops"] % 10 == 0:
            raise web.HTTPServiceUnavailable
        await asyncio.sleep(self.stop_seconds)
        self.stopped.add(request.match_info["name"])
        return web.Response(status=204)

    async def _stats(self, request: web.Request) -> web.Response:
        told = {"stopped": len(self.stopped), "requests": sum(self.requests.values())}
        self.stopped.clear()
        self.requests.clear()
        return web.json_response(told)


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--idle-every", type=int, default=100)
    parser.add_argument("--stop-seconds", type=float, default=0.0)
    parser.add_argument("--faulty", action="store_true")
    parser.add_argument("--back", action="store_true")
    given = parser.parse_args()
    hub = FakeHub(
        given.size, given.idle_every, given.stop_seconds, faulty=given.faulty, back=given.back
    )
    runner = web.AppRunner(hub.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    hub.url = f"http://127.0.0.1:{port}"
    for limit in (50, 200):
        for offset in range(0, given.size, limit):
            hub.page(offset, limit)
    print(port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
