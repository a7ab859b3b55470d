"""Parts of the cluster go away and come back: what people read meanwhile, and that it ends."""

from __future__ import annotations

import asyncio
import html
import time
from collections.abc import Awaitable, Callable
from shlex import join

import httpx
import pytest

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient, ServerFailed
from tests.cluster.bench import STUB, STUB_ANSWER, ClusterBench
from tests.cluster.conftest import RunHub
from tests.cluster.kubernetes.kubeconfig import Node
from tests.cluster.line import Line

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
# KubeSpawner's watches give up after 51 s without an answer.
AWAY_SECONDS = 55


async def start(browser: HubClient, name: str, profile: str = "small") -> str:
    """Start a server; return what its owner reads if that fails, else nothing."""
    await browser.post("/hub/spawn", {"profile": profile})
    try:
        await browser.wait_for_server(name, seconds=120)
    except ServerFailed:
        return html.unescape((await browser.get(f"/hub/spawn-pending/{name}")).text)
    return ""


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


async def evicted_server(bench: ClusterBench) -> None:
    """It is noticed, and can be started again."""
    async with bench.browser("alice") as browser:
        assert await start(browser, "alice", "greedy") == ""
        await until(lambda: is_stopped(browser, "alice"), "the hub has noticed")
        assert "Server not running" in (await browser.get("/user/alice/")).text
        assert await start(browser, "alice") == ""
        await browser.stop_server("alice")


async def lost_node(bench: ClusterBench) -> None:
    """Who starts a server reads why there is none; who has one reads that it does not answer."""
    kubelet = bench.node.kubelet
    if kubelet is None:
        pytest.skip("not on a cluster whose node is not ours to end")
    with bench.node.client() as client:
        async with bench.browser("bob") as bob, bench.browser("carol") as carol:
            assert await start(bob, "bob") == ""
            kubelet.kill()
            try:
                await until(lambda: node_is_lost(client), "the node is lost")
                assert "does not fit on any machine" in await start(carol, "carol", "hasty")
                assert "Your server appears to be down" in (await bob.get("/user/bob/")).text
            finally:
                kubelet.start()
            await until(lambda: node_is_ready(client), "the node is back")
            assert await start(carol, "carol") == ""


async def api_server_away_for_a_minute(bench: ClusterBench, line: Line) -> None:
    """Who starts a server reads that, who has one goes on, and afterwards all is as before."""
    async with line, bench.browser("bob") as bob, bench.browser("carol") as carol:
        assert await start(bob, "bob") == ""
        await line.cut()
        away = time.monotonic()
        assert "The cluster does not answer" in await start(carol, "carol")
        assert (await carol.get("/hub/health")).status == 200
        assert STUB_ANSWER in (await bob.get("/user/bob/")).text
        await asyncio.sleep(AWAY_SECONDS - (time.monotonic() - away))
        await line.mend()
        assert await start(carol, "carol") == ""
        await carol.stop_server("carol")
        assert await bench.pods("carol") == []


OUTAGES = ("evicted server", "lost node", "API server away for a minute")


@pytest.fixture(scope="module")
def outcomes(run_hub: RunHub, node: Node) -> dict[str, BaseException | None]:
    """What became of each; waiting for one goes on while the others happen."""
    line = Line(node.url)
    hub = run_hub(PEOPLE, {"profiles": PROFILES}, CONFIG)
    hub_on_the_line = run_hub(PEOPLE, {"profiles": PROFILES}, CONFIG, line)

    async def on_the_node() -> list[BaseException | None]:
        # one after the other: an eviction needs a node
        return [await outcome(evicted_server(hub)), await outcome(lost_node(hub))]

    async def all_of_them() -> list[BaseException | None]:
        away = outcome(api_server_away_for_a_minute(hub_on_the_line, line))
        node_outcomes, away_outcome = await asyncio.gather(on_the_node(), away)
        return [*node_outcomes, away_outcome]

    return dict(zip(OUTAGES, asyncio.run(all_of_them()), strict=True))


async def outcome(scenario: Awaitable[None]) -> BaseException | None:
    try:
        await scenario
    except BaseException as error:  # also pytest's own: skipped, failed
        return error
    return None


@pytest.mark.parametrize("outage", OUTAGES)
def test_outage(outcomes: dict[str, BaseException | None], outage: str) -> None:
    if error := outcomes[outage]:
        raise error
