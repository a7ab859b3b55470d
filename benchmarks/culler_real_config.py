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

    def clear_state(self) -> None:
        super().clear_state()
        self._kept = {}

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
    """Tells the hub's CPU time, and for how long its loop was kept since it was asked last."""

    lag = block = 0.0
    task: asyncio.Task[None] | None = None

    def get(self) -> None:
        Watch.task = Watch.task or asyncio.create_task(watch())
        told = {"cpu": time.process_time(), "lag": Watch.lag, "block": Watch.block}
        self.write(json.dumps(told))
        Watch.lag = Watch.block = 0.0


async def watch() -> None:
    """Measure how late the loop comes back, and how long it computed meanwhile.

    On a machine that does other things besides, only the second is due to the hub.
    """
    while True:
        began, cpu = time.monotonic(), time.thread_time()
        await asyncio.sleep(0.005)
        Watch.lag = max(Watch.lag, time.monotonic() - began - 0.005)
        Watch.block = max(Watch.block, time.thread_time() - cpu)


async def is_up(self: User, spawner: Spawner) -> None:
    """Believe that a server answers."""


User._wait_up = is_up
c = get_config()  # type: ignore[name-defined]  # noqa: F821 (JupyterHub defines it)
c.JupyterHub.spawner_class = NoSpawner
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{os.environ['BENCH_PORT']}"
c.JupyterHub.db_url = os.environ["BENCH_DB"]
c.JupyterHub.init_spawners_timeout = -1
# Else a hub that ends stops all servers first, one after the other.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.last_activity_interval = 10_000
c.Spawner.poll_interval = 0
c.JupyterHub.extra_handlers = [*handlers(), ("/api/bench", Watch)]
c.JupyterHub.services = [{"name": "bench", "api_token": os.environ["BENCH_TOKEN"], "admin": True}]
# As it does the tokens that it makes itself for services that it starts: cullers are such.
c.JupyterHub.trust_user_provided_tokens = True
c.JupyterHub.load_roles = [
    {
        "name": "bench",
        "services": ["bench"],
        "scopes": ["admin:users", "admin:servers", "list:users", "read:users:groups"],
    }
]
