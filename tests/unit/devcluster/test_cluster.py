"""The cluster as a whole: who gets in, what lies where, what tests can do to it."""

from __future__ import annotations

import asyncio
import json
import signal
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import yaml

from jhext.devcluster import DevCluster
from jhext.devcluster.cluster import StateInUseError
from jhext.devcluster.faults import Drop, Fault

from .conftest import Bench, StartBench, eventually

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_kubeconfig(start_bench: StartBench) -> None:
    async with start_bench(namespace="hub") as bench:
        assert bench.cluster.kubeconfig == bench.state / "kubeconfig"
        assert mode(bench.cluster.kubeconfig) == 0o600
        document = yaml.safe_load(await asyncio.to_thread(bench.cluster.kubeconfig.read_text))
        assert document["clusters"][0]["cluster"]["server"] == bench.cluster.url
        assert document["contexts"][0]["context"]["namespace"] == "hub"
        async with bench.session.get("/api/v1/namespaces/hub") as response:
            assert response.status == 200


async def test_secrets_are_not_for_others(bench: Bench) -> None:
    for path in bench.state.rglob("*"):
        if path.suffix == ".key" or path.name == "kubeconfig":
            assert mode(path) & 0o077 == 0
    assert mode(bench.state) & 0o066 == 0


async def test_only_on_loopback(bench: Bench) -> None:
    assert bench.cluster.url.startswith("https://127.0.0.1:")


async def test_tokens_differ(open_path: Path) -> None:
    tokens = {DevCluster(open_path / name).token for name in "ab"}
    assert len(tokens) == 2
    assert min(map(len, tokens)) >= 32


async def test_one_cluster_for_a_directory(bench: Bench) -> None:
    with pytest.raises(StateInUseError):
        await DevCluster(bench.state).__aenter__()


async def test_two_clusters_on_a_machine(bench: Bench, tmp_path: Path) -> None:
    """Pods of two clusters never share an address, since they may share a port."""
    async with DevCluster(tmp_path) as other, aiohttp.ClientSession() as session:
        assert other.url != bench.cluster.url
        hosts = []
        for cluster in (bench.cluster, other):
            async with session.get(
                f"{cluster.url}/api/v1/nodes/devcluster",
                headers={"Authorization": f"Bearer {cluster.token}"},
                ssl=False,
            ) as response:
                hosts.append((await response.json())["status"]["addresses"][0]["address"])
        assert hosts[0] != hosts[1]


async def test_node_offers_what_it_was_given(start_bench: StartBench) -> None:
    async with (
        start_bench(capacity={"nvidia.com/gpu": "2", "cpu": "3"}, node_labels={"a": "b"}) as bench,
        bench.session.get("/api/v1/nodes/devcluster") as response,
    ):
        node = await response.json()
    for field in ("capacity", "allocatable"):
        assert node["status"][field].items() >= {"nvidia.com/gpu": "2", "cpu": "3"}.items()
        assert "memory" in node["status"][field]
    assert node["metadata"]["labels"]["a"] == "b"


async def test_fault_fails_so_many_times(bench: Bench) -> None:
    fault = Fault("^POST .*/configmaps", status=503, retry_after=7, times=2)
    bench.cluster.faults.active.append(fault)
    statuses = []
    for name in "abc":
        async with bench.session.post(CONFIG_MAPS, json={"metadata": {"name": name}}) as response:
            statuses.append(response.status)
            if response.status == 503:
                assert response.headers["Retry-After"] == "7"
                assert (await response.json())["kind"] == "Status"
    assert statuses == [503, 503, 201]


async def test_fault_delays(bench: Bench) -> None:
    bench.cluster.faults.active.append(Fault("/configmaps", delay=600))
    with pytest.raises(TimeoutError):
        await bench.session.get(CONFIG_MAPS, timeout=aiohttp.ClientTimeout(total=0.3))
    async with bench.session.get("/api/v1/nodes") as response:
        assert response.status == 200


async def test_fault_drops(bench: Bench) -> None:
    bench.cluster.faults.active.append(Drop("/configmaps"))
    with pytest.raises(aiohttp.ClientConnectionError):
        await bench.session.post(CONFIG_MAPS, json={"metadata": {"name": "a"}})
    bench.cluster.faults.active.clear()
    assert (await bench.get("configmaps"))["items"] == []


async def test_watches_do_not_outlive_their_clients(start_bench: StartBench) -> None:
    """Nor does a watch hold up the cluster's end."""
    async with start_bench() as bench:
        subscribers = bench.cluster._store._subscribers
        before = len(subscribers)
        async with bench.session.get(CONFIG_MAPS, params={"watch": "true"}) as response:
            await bench.create("configmaps", {"metadata": {"name": "a"}})
            assert json.loads(await response.content.readline())["type"] == "ADDED"
            assert len(subscribers) == before + 1
        await eventually(lambda: len(subscribers) == before)
        open_watch = await bench.session.get(CONFIG_MAPS, params={"watch": "true"})
    open_watch.close()


RunCommand = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def run_command() -> AsyncIterator[RunCommand]:
    """Run the command, and kill what a failed test leaves."""
    processes = []

    async def run(state: Path, *options: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "jhext.devcluster",
            "--state",
            str(state),
            *options,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_command(open_path: Path, run_command: RunCommand, number: signal.Signals) -> None:
    state = open_path / "state"
    process = await run_command(state, "--capacity", "nvidia.com/gpu=2", "--namespace", "hub")
    assert process.stdout
    line = (await process.stdout.readline()).decode()
    assert str(state / "kubeconfig") in line
    assert (state / "kubeconfig").exists()
    second = await run_command(state)
    async with asyncio.timeout(30):
        _, complaint = await second.communicate()
    assert second.returncode == 1
    assert b"another cluster is running" in complaint
    process.send_signal(number)
    output, complaint = await process.communicate()
    assert (process.returncode, output, complaint) == (0, b"", b"")
    assert not (state / "kubeconfig").exists()


async def test_command_refuses_what_it_cannot_read(
    open_path: Path, run_command: RunCommand
) -> None:
    process = await run_command(open_path, "--capacity", "gpu")
    _, complaint = await process.communicate()
    assert process.returncode == 2
    assert b"NAME=QUANTITY" in complaint
