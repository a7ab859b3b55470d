"""Servers that end without their owner: evicted, or with the node they were on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from shlex import join

import httpx
import pytest

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from tests.cluster.bench import STUB, ClusterBench, start
from tests.cluster.conftest import RunHub

PEOPLE = [Account(name=name, uid=2001) for name in ("alice", "bob", "carol")]
PROFILES = [
    {"slug": "small", "display_name": "Small", "allow_all": True},
    {
        "slug": "greedy",
        "display_name": "Writes more than its volume may hold",
        "allow_all": True,
        "kubespawner_override": {
            "cmd": ["sh", "-c", f"(sleep 2; head -c 9M /dev/zero > /scratch/x) & {join(STUB)}"]
        },
    },
    {
        "slug": "hasty",
        "display_name": "Does not wait for a node",
        "allow_all": True,
        "kubespawner_override": {"start_timeout": 5},
    },
]
CONFIG = f"""
c.KubeSpawner.cmd = {STUB}
c.KubeSpawner.poll_interval = 1
c.KubeSpawner.volumes = [{{"name": "scratch", "emptyDir": {{"sizeLimit": "5Mi"}}}}]
c.KubeSpawner.volume_mounts = [{{"name": "scratch", "mountPath": "/scratch"}}]
"""


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> ClusterBench:
    return run_hub(PEOPLE, {"profiles": PROFILES}, CONFIG)


async def until(true: Callable[[], Awaitable[bool]], what: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < end, f"not in {seconds} s: {what}"
        await asyncio.sleep(0.3)


async def is_stopped(browser: HubClient, name: str) -> bool:
    return await browser.server(name) is None


async def node_is_ready(client: httpx.Client) -> bool:
    listed = await asyncio.to_thread(client.get, "/api/v1/nodes")
    (node,) = listed.raise_for_status().json()["items"]
    conditions = {c["type"]: c["status"] for c in node["status"]["conditions"]}
    return conditions["Ready"] == "True" and not node["spec"].get("taints")


async def node_is_lost(client: httpx.Client) -> bool:
    return not await node_is_ready(client)


async def test_evicted_server_is_noticed_and_can_be_started_again(bench: ClusterBench) -> None:
    async with bench.browser("alice") as browser:
        assert await start(browser, "alice", "greedy") == ""
        await until(lambda: is_stopped(browser, "alice"), "the hub has noticed")
        assert "Server not running" in (await browser.get("/user/alice/")).text
        assert await start(browser, "alice", "small") == ""
        await browser.stop_server("alice")


@pytest.mark.node_alone
@pytest.mark.timeout(1800)  # others end first
async def test_node_that_is_gone(bench: ClusterBench) -> None:
    switch = bench.node.off
    if switch is None:
        pytest.skip("not on a cluster whose node is not ours to switch off")
    with bench.node.client() as client:
        async with bench.browser("bob") as bob, bench.browser("carol") as carol:
            assert await start(bob, "bob", "small") == ""
            switch.touch()
            try:
                await until(lambda: node_is_lost(client), "the node is lost")
                assert "does not fit on any machine" in await start(carol, "carol", "hasty")
                assert "Your server appears to be down" in (await bob.get("/user/bob/")).text
            finally:
                switch.unlink()
            await until(lambda: node_is_ready(client), "the node is back")
            assert await start(carol, "carol", "small") == ""
