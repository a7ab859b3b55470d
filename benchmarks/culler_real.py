"""What cullers cost a real hub, in turn: ``python -m benchmarks.culler_real``.

By default it has 10,000 servers, on SQLite and, where that is installed, on PostgreSQL. This takes
ten minutes, most of them the hub's start and what idle-culler makes it do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import secrets
import sys
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from jupyterhub_idle_culler import cull_idle
from rich.console import Console
from rich.table import Table

from jhext.culler.policy import Rules
from jhext.culler.service import Service
from jhext.culler.settings import CullerSettings
from jhext.culler.source import Given
from jhext.demo.processes import Children, free_port
from tests import postgres

from .culler_seed import PERCENT, seed, timeout

CONFIG = Path(__file__).with_name("culler_real_config.py")
NOBODY = 100 * 3600.0
START_SECONDS = 1800
REPEATED = 10
"""How often we find the idle ones in a round: once would be nearly too little to measure."""


@dataclass(frozen=True)
class Taken:
    """What something took the hub: seconds of CPU, and the longest that its loop was kept."""

    cpu: float
    block: float
    lag: float


@dataclass
class Bench:
    """A hub that runs."""

    url: str
    token: str
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        self.service = Service(Given("{}"), self.url, self.token)

    def watch(self) -> dict[str, float]:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}/bench", headers=headers)
        with urllib.request.urlopen(request) as answer:
            told: dict[str, float] = json.load(answer)
        return told

    def answers(self) -> bool:
        try:
            self.watch()
        except OSError:
            return False
        return True

    async def peer(self, limit: float) -> None:
        await cull_idle(self.url, self.token, limit, logging.getLogger("peer"))

    async def ours(self, limit: float) -> None:
        await self.service.run_pass(Rules(CullerSettings(timeout=limit)))

    async def take(self, cull: Callable[[float], Awaitable[None]], *limits: float) -> Taken:
        before = self.watch()
        for limit in limits:
            await cull(limit)
        after = self.watch()
        return Taken((after["cpu"] - before["cpu"]) / len(limits), after["block"], after["lag"])


@contextmanager
def hub(folder: Path, database: str) -> Iterator[Bench]:
    """Run a hub, and wait until it has looked at all servers."""
    port, token = free_port(), secrets.token_hex(16)
    env = {"BENCH_PORT": str(port), "BENCH_DB": database, "BENCH_TOKEN": token}
    command = [sys.executable, "-m", "jupyterhub", f"--config={CONFIG}"]
    bench = Bench(f"http://127.0.0.1:{port}/hub/api", token)
    with Children() as children:
        child = children.start(
            "hub", command, env={**os.environ, **env}, cwd=folder, log=folder / "hub.log"
        )
        child.wait_until(bench.answers, START_SECONDS)
        yield bench


Sides = tuple[list[Taken], list[Taken]]


async def measure(bench: Bench) -> list[tuple[str, str, Sides]]:
    """Let both find the idle ones, and stop some; each cycle has idle ones of its own."""
    finding: Sides = ([], [])
    cycle: Sides = ([], [])
    for percent in range(0, PERCENT, 2):
        finding[0].append(await bench.take(bench.peer, NOBODY))
        finding[1].append(await bench.take(bench.ours, *[NOBODY] * REPEATED))
        cycle[0].append(await bench.take(bench.peer, timeout(percent)))
        cycle[1].append(await bench.take(bench.ours, timeout(percent + 1)))
    for side in (*finding, *cycle):
        del side[0]  # then the hub was still filling its caches
    return [("finding the idle ones", "100", finding), ("a cycle, 1 % idle", "5 / 2.5", cycle)]


def databases(folder: Path) -> Iterator[tuple[str, str]]:
    """Give empty databases, of the kinds that there are here."""
    yield "SQLite", f"sqlite:///{folder}/hub.sqlite"
    if (programs := postgres.binaries()) is not None:
        with postgres.running(programs) as address:
            yield "PostgreSQL", postgres.new_database(address)


def table(size: int) -> Table:
    """Measure everything."""
    made = Table(
        *("database", "work", "hub's CPU s", "times less", "at least", "longest block, CPU ms"),
        "longest lag ms",
        title=f"{size} servers in a real hub: idle-culler → jhext",
    )
    with TemporaryDirectory(prefix="jhext-bench-") as name:
        for kind, url in databases(Path(name)):
            seed(url, size)
            with hub(Path(name), url) as bench:
                for work, at_least, sides in asyncio.run(measure(bench)):
                    made.add_row(kind, work, *row(sides, at_least))
    return made


def row(sides: Sides, at_least: str) -> Iterator[str]:
    theirs, our = (median(taken.cpu for taken in side) for side in sides)
    yield f"{theirs:.3f} → {our:.4f}"
    yield f"{theirs / our:.2f}"
    yield at_least
    for key in ("block", "lag"):
        yield " → ".join(
            f"{1000 * median(getattr(taken, key) for taken in side):.0f}" for side in sides
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000)
    Console(width=140).print(table(parser.parse_args().size))


if __name__ == "__main__":
    main()
