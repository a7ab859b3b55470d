"""A node that is gone: what people read meanwhile, and that servers start when it is back."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from jhext.demo.accounts import Account
from tests.cluster.bench import STUB, ClusterBench, start, until
from tests.cluster.conftest import RunHub

PEOPLE = [Account(name=name, uid=2001) for name in ("bob", "carol")]
PROFILES = [
    {"slug": "small", "display_name": "Small", "allow_all": True},
    {
        "slug": "hasty",
        "display_name": "Does not wait for a node",
        "allow_all": True,
        "kubespawner_override": {"start_timeout": 5},
    },
]
pytestmark = pytest.mark.node_alone
CONFIG = f"c.KubeSpawner.cmd = {STUB}"


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> ClusterBench:
    return run_hub(PEOPLE, {"profiles": PROFILES}, CONFIG)


async def node_is_ready(client: httpx.Client) -> bool:
    listed = await asyncio.to_thread(client.get, "/api/v1/nodes")
    (node,) = listed.raise_for_status().json()["items"]
    conditions = {c["type"]: c["status"] for c in node["status"]["conditions"]}
    return conditions["Ready"] == "True" and not node["spec"].get("taints")


async def node_is_lost(client: httpx.Client) -> bool:
    return not await node_is_ready(client)


@pytest.mark.timeout(1800)  # other runs on this machine end first
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
