"""The hub of `culler_real`: everybody runs a server that there is not, and its loop is watched."""

import asyncio
import json
import os
import time
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.proxy import Proxy
from jupyterhub.spawner import Spawner
from jupyterhub.user import User

from jhext.hub_api import handlers


class NoSpawner(Spawner):  # type: ignore[misc]
    """Says that its server runs, and stops it at once."""

    async def start(self) -> tuple[str, int]:
        return "127.0.0.1", 1

    async def stop(self, now: bool = False) -> None:
        return None

    async def poll(self) -> None:
        return None

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self._kept = state

    def get_state(self) -> dict[str, Any]:
        return self._kept

    _kept: dict[str, Any] = {}


class NoProxy(Proxy):  # type: ignore[misc]
    """Has no routes."""

    should_start = False

    async def add_route(self, routespec: str, target: str, data: Any) -> None:
        return None

    async def delete_route(self, routespec: str) -> None:
        return None

    async def get_all_routes(self) -> dict[str, Any]:
        return {}


class Watch(APIHandler):  # type: ignore[misc]
    """Tells the hub's CPU time, and its longest lag since it was asked last."""

    longest = 0.0
    task: asyncio.Task[None] | None = None

    def get(self) -> None:
        Watch.task = Watch.task or asyncio.create_task(watch())
        self.write(json.dumps({"cpu": time.process_time(), "lag": Watch.longest}))
        Watch.longest = 0.0


async def watch() -> None:
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.005)
        Watch.longest = max(Watch.longest, time.monotonic() - began - 0.005)


async def is_up(self: User, spawner: Spawner) -> None:
    """Believe that a server answers."""


User._wait_up = is_up
c = get_config()  # type: ignore[name-defined]  # noqa: F821 (JupyterHub defines it)
c.JupyterHub.spawner_class = NoSpawner
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{os.environ['BENCH_PORT']}"
c.JupyterHub.db_url = os.environ["BENCH_DB"]
c.JupyterHub.log_level = "ERROR"
c.JupyterHub.init_spawners_timeout = -1
c.JupyterHub.last_activity_interval = 10_000
c.Spawner.poll_interval = 0
c.JupyterHub.extra_handlers = [*handlers(), ("/api/bench", Watch)]
c.JupyterHub.services = [{"name": "bench", "api_token": os.environ["BENCH_TOKEN"], "admin": True}]
c.JupyterHub.load_roles = [
    {
        "name": "bench",
        "services": ["bench"],
        "scopes": ["admin:users", "admin:servers", "list:users", "read:users:groups"],
    }
]
