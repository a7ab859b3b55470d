"""Nothing of one start is left for the next, of the same person or of another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.forms import SpawnForm
from tests.hub import doors
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

PEOPLE = [
    Account(name="alice", uid=2001, groups=("both",)),
    Account(name="bob", uid=2002),
]
PROFILES = [
    {"slug": "plain", "display_name": "Plain", "allow_all": True},
    {
        "slug": "rich",
        "display_name": "Rich",
        "allowed_groups": ["both"],
        "kubespawner_override": {
            "mem_limit": "3G",
            "environment": {"RICH": "yes"},
            "extra_labels": {"rich": "yes"},
            "volumes": [{"name": "scratch", "emptyDir": {}}],
            "volume_mounts": [{"name": "scratch", "mountPath": "/scratch"}],
        },
    },
]


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub(PEOPLE, {"profiles": PROFILES})


async def test_next_profile_is_alone(bench: Bench) -> None:
    before = await pod_of(bench, "alice", "plain")
    rich = await pod_of(bench, "alice", "rich")
    assert rich["spec"]["volumes"]
    refused = await doors.rest(bench, "alice", {"profile": "none"})
    assert refused.status == 403
    after = await pod_of(bench, "alice", "plain")
    assert shape(after) == shape(before)
    of_bob = await pod_of(bench, "bob", "plain")
    assert shape(of_bob)["containers"][0]["env"] == shape(before)["containers"][0]["env"]


async def test_d14_forms_at_once(bench: Bench) -> None:
    async with bench.browser("alice") as alice, bench.browser("bob") as bob:
        pages = await asyncio.gather(*(who.get("/hub/spawn") for who in (alice, bob) * 10))
    offered = [SpawnForm.parse(page.text).profiles for page in pages]
    assert offered == [("plain", "rich"), ("plain",)] * 10


async def pod_of(bench: Bench, name: str, profile: str) -> dict[str, Any]:
    """Start a server, return its pod as it was made, stop it."""
    async with bench.program(name) as program:
        await doors.rest(bench, name, {"profile": profile})
        await program.wait_for_server(name)
        (pod,) = await bench.pods(name)
        await program.stop_server(name)
    return pod


def shape(pod: dict[str, Any]) -> dict[str, Any]:
    """Return what of a pod should not differ between starts."""
    containers = [
        {**container, "env": {item["name"] for item in container["env"]}}
        for container in pod["spec"]["containers"]
    ]
    labels = pod["metadata"]["labels"]
    return {**pod["spec"], "containers": containers, "labels": labels}
