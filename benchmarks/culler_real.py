"""Print what cullers cost a real hub: ``python -m benchmarks.culler_real``."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jupyterhub import orm
from jupyterhub_idle_culler import cull_idle
from rich.console import Console
from rich.table import Table

from jhext.culler.service import Service
from jhext.culler.source import Given

HOUR = 3600.0
CONFIG = Path(__file__).with_name("culler_real_config.py")


@dataclass(frozen=True)
class Bench:
    """A hub that runs."""

    url: str
    token: str

    def watch(self) -> dict[str, float]:
        """Give the hub's CPU time in seconds, and its longest lag since this was asked last."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}/bench", headers=headers)
        with urllib.request.urlopen(request) as answer:
            told: dict[str, float] = json.load(answer)
        return told

    async def peer(self, limit: float) -> None:
        log = logging.getLogger("peer")
        await cull_idle(self.url, self.token, limit, log, concurrency=50)

    async def ours(self, limit: float) -> None:
        service = Service(Given(json.dumps({"timeout": limit})), self.url, self.token)
        await service.run_pass(service.read())


def seed(url: str, size: int) -> None:
    """Fill a database: of everybody's servers, 1 % idle for three hours, and 1 % for five."""
    session = orm.new_session_factory(url)()
    now = datetime.now(UTC).replace(tzinfo=None)
    groups = [orm.Group(name=f"lab-{n}") for n in range(50)]
    session.add_all(groups)
    for number in range(size):
        user = orm.User(name=f"user-{number}", groups=[groups[number % 50]])
        idle = {0: 5, 1: 3}.get(number % 100, 0)
        session.add(
            orm.Spawner(
                name="",
                user=user,
                server=orm.Server(ip="127.0.0.1", port=1, base_url=f"/user/user-{number}/"),
                state={"jhext": {"version": 1, "profile": "small"}},
                started=now - timedelta(hours=9),
                last_activity=now - timedelta(hours=idle),
            )
        )
    session.commit()
    session.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def hub(folder: Path, database: str) -> Iterator[Bench]:
    """Run a hub, and wait until it has looked at all servers."""
    port, token = free_port(), secrets.token_hex(16)
    env = {"BENCH_PORT": str(port), "BENCH_DB": database, "BENCH_TOKEN": token}
    command = [sys.executable, "-m", "jupyterhub", f"--config={CONFIG}"]
    with subprocess.Popen(command, cwd=folder, env={**os.environ, **env}) as process:
        bench = Bench(f"http://127.0.0.1:{port}/hub/api", token)
        try:
            while process.poll() is None:
                try:
                    bench.watch()
                    break
                except OSError:
                    time.sleep(1)
            yield bench
        finally:
            process.terminate()


Work = Callable[[float], Awaitable[None]]


async def measure(bench: Bench) -> list[tuple[str, str, float, float, float]]:
    """Find the idle ones, and stop them; each culler has idle ones of its own."""
    cullers: dict[str, tuple[Work, float]] = {
        "idle-culler": (bench.peer, 4 * HOUR),
        "jhext": (bench.ours, 2 * HOUR),
    }
    rows = []
    for work in ("finding the idle ones", "a whole cycle"):
        for name, (cull, timeout) in cullers.items():
            limit = 20 * HOUR if work.startswith("finding") else timeout
            before = bench.watch()
            began = time.monotonic()
            await cull(limit)
            wall, after = time.monotonic() - began, bench.watch()
            rows.append((work, name, after["cpu"] - before["cpu"], wall, 1000 * after["lag"]))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--database", help="an empty database; by default a file of SQLite's")
    given = parser.parse_args()
    with TemporaryDirectory() as name:
        database = given.database or f"sqlite:///{name}/hub.sqlite"
        seed(database, given.size)
        with hub(Path(name), database) as bench:
            rows: list[Any] = asyncio.run(measure(bench))
    made = Table("work", "culler", "hub's CPU s", "wall s", "longest lag ms")
    for work, culler, cpu, wall, lag in rows:
        made.add_row(work, culler, f"{cpu:.3f}", f"{wall:.2f}", f"{lag:.0f}")
    Console().print(made)


if __name__ == "__main__":
    main()
