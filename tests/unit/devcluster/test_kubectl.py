"""People look into the embedded cluster with the program they know."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from tests.unit.devcluster.conftest import Bench

pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="not on a machine without kubectl"
)


async def kubectl(bench: Bench, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "kubectl",
        f"--kubeconfig={bench.cluster.kubeconfig}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, error = await process.communicate()
    assert process.returncode == 0, error.decode()
    return output.decode()


async def test_pods_and_logs(bench: Bench) -> None:
    await bench.run("echo hello")
    pod = await bench.ended()
    name = pod["metadata"]["name"]
    header, row = (await kubectl(bench, "get", "pods")).splitlines()
    assert header.split()[:3] == ["NAME", "READY", "STATUS"]
    assert row.split()[0] == name
    assert (await kubectl(bench, "logs", name)).strip() == "hello"
    for option in ("--timestamps", "--since=1h", "--since-time=2026-01-01T00:00:00Z"):
        with pytest.raises(AssertionError, match="logs have no"):
            await kubectl(bench, "logs", name, option)
    assert "Scheduled" in await kubectl(bench, "get", "events")
    assert f"pod/{name}" in await kubectl(bench, "get", "pods", "--output", "name")
