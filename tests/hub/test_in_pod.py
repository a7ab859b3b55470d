"""Kernels and terminals that nobody uses end inside the pod, after the time of the profile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import jhext.culler
from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

ALICE = Account(name="alice", uid=2001)
CAROL = Account(name="carol", uid=2002, groups=("patient",))
SHIPPED = Path(jhext.culler.__file__).with_name("data") / "jupyter_server_config.py"
SETTINGS = {
    "profiles": [
        {"slug": "quick", "display_name": "Quick", "allow_all": True},
        {"slug": "slow", "display_name": "Slow", "allow_all": True},
        {
            "slug": "older",
            "display_name": "Older",
            "allow_all": True,
            "kubespawner_override": {"environment": {"JUPYTERNB_KERNEL_TIMEOUT": "2"}},
        },
    ],
    "culler": {
        "never": True,
        "profiles": {
            "quick": {"in_pod": {"kernel_idle_timeout": "2s", "terminal_inactive_timeout": "2s"}},
            "slow": {"in_pod": {"kernel_idle_timeout": "1h", "terminal_inactive_timeout": "1h"}},
        },
        "groups": {"patient": {"in_pod": {"kernel_idle_timeout": "never"}}},
    },
}


# An image has the file where Jupyter looks for it.
CONFIG = f"""
import shutil
image = FOLDER / "image"
image.mkdir()
image.chmod(0o755)
shutil.copy({str(SHIPPED)!r}, image)
(image / "jupyter_server_config.py").chmod(0o644)
c.KubeSpawner.cmd = ["jupyterhub-singleuser"]
c.KubeSpawner.environment = {{"JUPYTER_CONFIG_PATH": str(image)}}
"""


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    config = f"from pathlib import Path\nFOLDER = Path.cwd().parent\n{CONFIG}"
    return run_hub([ALICE, CAROL], SETTINGS, config)


async def started(browser: HubClient, name: str, profile: str) -> str:
    """Start a server with a kernel and a terminal; give the path of its API."""
    await browser.api("POST", f"/users/{name}/servers/{profile}", {"profile": profile})
    await browser.wait_for_server(name, profile)
    api = f"/user/{name}/{profile}/api"
    await browser.get(f"/user/{name}/{profile}/lab")
    for kind in ("kernels", "terminals"):
        answer = await browser.request("POST", f"{api}/{kind}", {})
        assert answer.status in (200, 201), answer.text
    return api


async def left(browser: HubClient, api: str) -> list[int]:
    kinds = ("kernels", "terminals")
    return [len((await browser.request("GET", f"{api}/{kind}")).json()) for kind in kinds]


async def until_left(browser: HubClient, api: str, wanted: list[int]) -> None:
    async with asyncio.timeout(60):
        while await left(browser, api) != wanted:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.5)


async def test_kernels_and_terminals_end_after_the_time_of_the_profile(bench: Bench) -> None:
    async with bench.browser("alice") as alice, bench.browser("carol") as carol:
        slow = await started(alice, "alice", "slow")
        patient = await started(carol, "carol", "quick")
        quick = await started(alice, "alice", "quick")
        older = await started(alice, "alice", "older")
        await until_left(alice, quick, [0, 0])
        # What a profile sets itself stays; of terminals it says nothing.
        await until_left(alice, older, [0, 1])
        # A longer time, and none at all by the rule of a group.
        assert await left(alice, slow) == [1, 1]
        assert (await left(carol, patient))[0] == 1
        for name in ("slow", "quick", "older"):
            await alice.stop_server("alice", name)
        await carol.stop_server("carol", "quick")
