"""A pod that does not come up, or is evicted: what its owner reads, and a hub that goes on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from tests.cluster.bench import STUB, STUB_ANSWER, ClusterBench, start, stop, until
from tests.cluster.conftest import RunHub
from tests.cluster.interpreter import COMMAND, run_in_interpreter


def profile(slug: str, **override: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "display_name": slug,
        "allow_all": True,
        "kubespawner_override": override,
    }


# For a program that ends at once: else a slow machine may have seen that it was running.
NEVER_READY = {"readinessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1}}
# What is started, and what its owner must read at last.
FAILURES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "image that is nowhere": (
        profile("no-image", image="localhost/none:1"),
        ["The image localhost/none:1 cannot be pulled"],
    ),
    "image without a name": (
        profile("bad-image", image="UPPER CASE"),
        ["The image UPPER CASE is not a valid name"],
    ),
    "program that is not there": (
        profile("no-program", cmd=["no-such-program"]),
        ["no-such-program"],
    ),
    "program that ends": (
        profile("ends", cmd=["sh", "-c", "exit 3"], extra_container_config=NEVER_READY),
        ["ended with exit code 3"],
    ),
    "too large for any node": (
        profile("large", cpu_guarantee=400, cpu_limit=400, start_timeout=5),
        ["does not fit", "Insufficient cpu"],
    ),
    "manifest that is not valid": (
        profile("invalid", extra_annotations={"not a key": ""}),
        ["not valid", "administrator"],
    ),
    "beyond the LimitRange": (
        profile("limited", cpu_limit=501),
        ["maximum cpu usage per Container is 500, but limit is 501"],
    ),
    "beyond the quota": (
        profile("quota", mem_guarantee="1T"),
        ["quota", "requested: requests.memory="],
    ),
}
SMALL = profile("small", cmd=STUB)
GREEDY = profile(
    "greedy",
    cmd=COMMAND,
    poll_interval=1,
    volumes=[{"name": "scratch", "emptyDir": {"sizeLimit": "5Mi"}}],
    volume_mounts=[{"name": "scratch", "mountPath": "/scratch"}],
)
WRITE_MORE = "with open('/scratch/x', 'wb') as file: file.write(bytes(9_000_000))"
PROFILES = [SMALL, GREEDY, *(made for made, _ in FAILURES.values())]
PEOPLE = [Account(name=made["slug"], uid=2001) for made in PROFILES]
CONFIG = """
c.KubeSpawner.mem_guarantee = "64M"
c.KubeSpawner.cpu_limit = 1
c.JupyterHub.consecutive_failure_limit = 2
"""


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> ClusterBench:
    hub = {"allowed_sensitive_overrides": ["extra_container_config"]}
    bench = run_hub(PEOPLE, {"profiles": PROFILES, "hub": hub}, CONFIG)
    for kind, spec in (
        ("LimitRange", {"limits": [{"type": "Container", "max": {"cpu": "500"}}]}),
        ("ResourceQuota", {"hard": {"requests.memory": "100Gi"}}),
    ):
        manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "limits"}, "spec": spec}
        bench.namespace.create(manifest)
    return bench


@pytest.fixture(scope="module")
def pages(bench: ClusterBench) -> dict[str, str]:
    """What each owner reads at last, all of them at the same time."""

    async def all_at_once() -> list[str]:
        starts = (failed_start(bench, made["slug"]) for made, _ in FAILURES.values())
        return await asyncio.gather(*starts)

    return dict(zip(FAILURES, asyncio.run(all_at_once()), strict=True))


async def failed_start(bench: ClusterBench, name: str) -> str:
    """Have somebody start the profile that is called like them; return what they read at last."""
    async with bench.browser(name) as browser:
        page = await start(browser, name, name)
    assert page, f"{name} did start"
    return page


@pytest.mark.parametrize("case", FAILURES)
def test_failure_is_explained(pages: dict[str, str], case: str) -> None:
    for text in FAILURES[case][1]:
        assert text in pages[case]


async def test_hub_goes_on_after_all_of_them(bench: ClusterBench, pages: dict[str, str]) -> None:
    assert len(pages) > 2, "fewer than the failures in a row that would end the hub"
    async with bench.browser("small") as browser:
        assert await start(browser, "small", "small") == ""
        assert STUB_ANSWER in (await browser.get("/user/small/")).text


async def test_d24_token_of_a_refused_pod_is_not_in_the_log(
    bench: ClusterBench, pages: dict[str, str]
) -> None:
    assert pages
    assert "JUPYTERHUB_API_TOKEN" not in bench.log


async def is_stopped(browser: HubClient, name: str) -> bool:
    return await browser.server(name) is None


async def test_evicted_server_is_noticed_and_can_be_started_again(bench: ClusterBench) -> None:
    async with bench.browser("greedy") as browser:
        assert await start(browser, "greedy", "greedy") == ""
        await run_in_interpreter(browser, "greedy", WRITE_MORE)
        await until(lambda: is_stopped(browser, "greedy"), "the hub has noticed")
        assert "Server not running" in (await browser.get("/user/greedy/")).text
        assert await start(browser, "greedy", "small") == ""
        await stop(browser, "greedy")
