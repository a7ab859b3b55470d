"""An API server that is away for a minute: what people read meanwhile, and that it ends."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import pytest

from jhext.demo.accounts import Account
from tests.cluster.bench import STUB, STUB_ANSWER, ClusterBench, start, stop
from tests.cluster.conftest import RunHub
from tests.cluster.kubernetes.kubeconfig import Node
from tests.cluster.line import Line

PEOPLE = [Account(name=name, uid=2001) for name in ("bob", "carol")]
PROFILES = [{"slug": "small", "display_name": "Small", "allow_all": True}]
CONFIG = f"c.KubeSpawner.cmd = {STUB}"
# KubeSpawner's watches give up after 51 s without an answer.
AWAY_SECONDS = 55


@dataclass(frozen=True)
class Outage:
    """What carol, who wants a server, and bob, who has one, have seen; and the hub."""

    carol_reads: str
    bob_reads: str
    health: int
    carol_reads_afterwards: str
    pods_afterwards: list[dict[str, Any]]


@pytest.fixture(scope="module")
def outage(run_hub: RunHub, node: Node) -> Outage:
    line = Line(node.url)
    bench = run_hub(PEOPLE, {"profiles": PROFILES}, CONFIG, line)
    return asyncio.run(life_with_an_outage(bench, line))


async def life_with_an_outage(bench: ClusterBench, line: Line) -> Outage:
    async with line, bench.browser("bob") as bob, bench.browser("carol") as carol:
        assert await start(bob, "bob", "small") == ""
        await line.cut()
        away = time.monotonic()
        carol_reads = await start(carol, "carol", "small")
        health = (await carol.get("/hub/health")).status
        bob_reads = (await bob.get("/user/bob/")).text
        await asyncio.sleep(AWAY_SECONDS - (time.monotonic() - away))
        await line.mend()
        afterwards = await start(carol, "carol", "small")
        await stop(carol, "carol")
        return Outage(carol_reads, bob_reads, health, afterwards, await bench.pods("carol"))


def test_who_starts_a_server_reads_why_there_is_none(outage: Outage) -> None:
    assert "The cluster does not answer" in outage.carol_reads


def test_hub_is_up(outage: Outage) -> None:
    assert outage.health == 200


def test_server_that_runs_goes_on(outage: Outage) -> None:
    assert STUB_ANSWER in outage.bob_reads


def test_servers_start_and_stop_again_afterwards(outage: Outage) -> None:
    assert outage.carol_reads_afterwards == ""
    assert outage.pods_afterwards == []
