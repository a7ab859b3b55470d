"""A real hub, configured as the chart of Zero to JupyterHub does it with jhext in extraConfig."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from jhext.demo.accounts import Account
from tests.hub import doors
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

PEOPLE = [Account(name="alice", uid=2001, groups=["staff"]), Account(name="bob", uid=2002)]
JHEXT = {
    "profiles": [{"display_name": "Small", "allowed_groups": ["staff"]}],
    "culler": {"timeout": "1h"},
}
# What the chart's hub has in its image and its cluster, and this one has not.
HERE = f"""
from jhext.demo.authenticator import DemoAuthenticator
c.JupyterHub.authenticator_class = DemoAuthenticator
c.DemoAuthenticator.accounts_file = str(FOLDER / "accounts.json")
c.KubeSpawner.cmd = [{sys.executable!r}, str(FOLDER / "stub_server.py")]
c.KubeSpawner.delete_grace_period = 1
"""
VALUES: dict[str, Any] = {
    "custom": {"jhext": JHEXT},
    "hub": {
        "extraConfig": {
            "00-here": HERE,
            "10-jhext": "import jhext, z2jh\njhext.configure(c, z2jh.get_config('custom.jhext'))",
            "20-later": "c.KubeSpawner.environment = {'LATER': 'yes'}",
        }
    },
    "scheduling": {"userScheduler": {"enabled": False}},
    "singleuser": {"cloudMetadata": {"blockWithIptables": False}},
}


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub(PEOPLE, VALUES, base="z2jh_config.py")


@pytest.mark.hub_versions
async def test_whoever_may_starts_what_the_chart_describes(bench: Bench) -> None:
    answer = await doors.rest(bench, "alice", {"profile": "small"})
    assert answer.status < 400, answer
    async with bench.program("alice") as program:
        await program.wait_for_server("alice")
        (pod,) = await bench.pods("alice")
        await program.stop_server("alice")
    labels = pod["metadata"]["labels"]
    assert (labels["release"], labels["jhext.io/profile"]) == ("jhub", "small")
    (container,) = pod["spec"]["containers"]
    assert {"name": "LATER", "value": "yes"} in container["env"]
    (volume,) = pod["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"].startswith("claim-alice")


def decided_about(bench: Bench, user: str) -> list[dict[str, str]]:
    return [decision for decision in bench.decisions() if decision["user"] == user]


async def test_whoever_may_not_does_not(bench: Bench) -> None:
    """The chart has the hub answer before it has decided, so the audit tells what came of it."""
    assert (await doors.rest(bench, "bob", {"profile": "small"})).status in (202, 403)
    async with asyncio.timeout(30):
        while not (decided := decided_about(bench, "bob")):  # noqa: ASYNC110 - only the log tells
            await asyncio.sleep(0.1)
    assert {decision["decision"] for decision in decided} == {"refused"}
    assert await bench.pods("bob") == []


def test_the_start_is_told(bench: Bench) -> None:
    assert "The service jupyterhub-idle-culler is left out" in bench.log
    assert "In force by now:" in bench.log
    assert bench.unhandled == []
