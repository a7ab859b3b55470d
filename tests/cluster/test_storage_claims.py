"""A real API server takes every claim, as it was meant, for whoever it is; and lets it grow."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jhext.settings import load_settings
from jhext.storage import labels
from jhext.storage.claims import wanted_of
from tests.cluster.kubernetes.dryrun import not_stored
from tests.cluster.kubernetes.kubeconfig import Cluster
from tests.cluster.little_hub import LittleHub, Make, Ours, little_hubs, reached_by_spawners
from tests.cluster.namespace import Namespace, documented_role
from tests.cluster.test_storage_traps import home_in, start_and_stop
from tests.unit.storage.claims_of import owner, settings

NASTY = ("alice", "Alice", "alice@uni.edu", "a-b", "a_b", "a--b", "x" * 200, "测试", "1a", "-x-")
COMMON: dict[str, Any] = {"labels": {}, "annotations": {}}
GOLDEN = Path(__file__).parents[1] / "golden" / "storage" / "claim.json"
YOUNGER = {"volumeAttributesClassName"}
"""Fields that the oldest Kubernetes that the tests run on drops."""

SPECS: dict[str, dict[str, Any]] = {
    "nothing said": {},
    "per server": {"per": "server", "name": "claim-{user_server}"},
    "class and modes": {"storage_class": "fast", "access_modes": ["ReadWriteMany", "ReadOnlyMany"]},
    "no class, one volume": {"storage_class": "", "volume_name": "pv-{username}"},
    "selector": {"selector": {"matchLabels": {"home-of": "{username}"}}},
    "raw device": {"volume_mode": "Block"},
    "clone": {"data_source": {"kind": "PersistentVolumeClaim", "name": "course"}},
    "snapshot": {"data_source": {"kind": "VolumeSnapshot", "name": "course-{username}"}},
    "labels": {
        "labels": {"campus.edu/owner": "{user_server}"},
        "annotations": {"campus.edu/owner": "{unescaped_username} at {unescaped_servername}"},
    },
    "attributes": {"volume_attributes_class": "gold"},
}
REFUSED_BY_OLDER: dict[str, Any] = {"access_modes": ["ReadWriteOncePod"]}
"""What the oldest Kubernetes that the tests run on does not know."""


@pytest.mark.parametrize("user", NASTY)
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("server", ["", "GPU 1"])
def test_every_claim_is_taken_as_it_is(
    spec: str, user: str, server: str, dry_run: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    claims = settings({"home": SPECS[spec]}).claims
    (wanted,) = wanted_of(claims, owner(user, server), COMMON)
    stored = dry_run(dict(wanted.manifest))
    assert not_stored(wanted.manifest["spec"], stored["spec"]) <= YOUNGER
    for kind in ("labels", "annotations"):
        assert stored["metadata"][kind].items() >= wanted.manifest["metadata"][kind].items()


def test_claim_with_everything_is_the_golden_one() -> None:
    """Also with what an older API server drops. Mend it by hand, and look at it."""
    everything: dict[str, Any] = {}
    for spec in (*SPECS.values(), REFUSED_BY_OLDER):
        everything |= spec
    claims = settings({"home": {**everything, "retention": "delete_with_server"}}).claims
    (wanted,) = wanted_of(claims, owner("alice@uni.edu", "GPU 1"), COMMON)
    assert wanted.manifest == json.loads(GOLDEN.read_text())


# Growth


@pytest.fixture
async def hub(apiserver: Cluster) -> AsyncIterator[LittleHub]:
    async with little_hubs(apiserver) as make:
        yield sized(make)


def sized(make: Make) -> LittleHub:
    hub = make(Ours, **of_size("1Gi"))
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": hub.namespace},
        "provisioner": "example.test/none",
        "allowVolumeExpansion": True,
    }
    path = "/apis/storage.k8s.io/v1/storageclasses"
    hub.api.post(path, json=storage_class).raise_for_status()
    hub.traits = of_size("1Gi", hub.namespace)
    return hub


def of_size(size: str, storage_class: str | None = None) -> dict[str, Any]:
    claim = {"size": size, "storage_class": storage_class, "grow": "when_larger"}
    storage = {"home": {"source": {"type": "claim"}}, "claims": {"home": claim}}
    return {"settings": load_settings({"storage": storage}), "default_access": "allow"}


def size_of(hub: LittleHub, name: str) -> str:
    size: str = hub.claims()[name]["spec"]["resources"]["requests"]["storage"]
    return size


async def test_claim_grows_when_it_is_bound_and_never_shrinks(hub: LittleHub) -> None:
    name = await start_and_stop(hub, "alice")
    larger = of_size("5Gi", hub.namespace)
    await start_and_stop(hub, "alice", **larger)
    assert size_of(hub, name) == "1Gi", "the API server takes no growth of what is not bound"
    hub.patch(name, {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}, "status")
    await start_and_stop(hub, "alice", **larger)
    assert size_of(hub, name) == "5Gi"
    await start_and_stop(hub, "alice")
    assert size_of(hub, name) == "5Gi"


async def test_growth_that_is_refused_is_a_warning_with_the_command(
    hub: LittleHub, caplog: pytest.LogCaptureFixture
) -> None:
    """The class of the claim does not allow it; the server starts all the same."""
    hub.traits = of_size("1Gi")
    name = await start_and_stop(hub, "carol")
    hub.patch(name, {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}, "status")
    await start_and_stop(hub, "carol", **of_size("5Gi"))
    assert size_of(hub, name) == "1Gi"
    (said,) = [r.getMessage() for r in caplog.records if "should have 5Gi" in r.getMessage()]
    assert "dynamically provisioned" in said
    assert said.endswith(f"jhext storage grow {name}")
    annotations = hub.claims()[name]["metadata"]["annotations"]
    assert "jhext.io/last-used" in annotations, "the hub is still asked to patch"


@pytest.fixture
def documented(hub: LittleHub, apiserver: Cluster, tmp_path: Path) -> Iterator[None]:
    """Let the hub do what the documented Role says, which has no verb to change claims."""
    space = Namespace(hub.namespace, hub.api)
    account = space.account(apiserver, tmp_path)
    space.grant(documented_role(), hub.namespace)
    with reached_by_spawners(account):
        yield


@pytest.mark.usefixtures("documented")
async def test_hub_that_may_not_patch_says_so_once_and_goes_on(
    hub: LittleHub, caplog: pytest.LogCaptureFixture
) -> None:
    name = await start_and_stop(hub, "dora")
    hub.patch(name, {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}, "status")
    assert await start_and_stop(hub, "dora", **of_size("5Gi", hub.namespace)) == name
    assert size_of(hub, name) == "1Gi"
    (said,) = [r.getMessage() for r in caplog.records if name in r.getMessage() and r.levelno > 20]
    assert said.endswith(
        f"{name} has 1Gi and should have 5Gi: the hub may not patch claims; "
        f"jhext storage grow {name}"
    )


async def test_profile_gives_more(hub: LittleHub) -> None:
    override = {"home": {"size": "7Gi", "labels": {"campus.edu/size": "large"}}}
    name = home_in(await hub.start("bob", storage_claims=override))
    assert size_of(hub, name) == "7Gi"
    assert hub.claims()[name]["metadata"]["labels"]["campus.edu/size"] == "large"


async def test_use_is_noted_at_the_start_and_at_the_end(hub: LittleHub) -> None:
    """Else a server that has run for long would leave a claim that looks unused for as long."""

    def used() -> str:
        found: str = hub.claims()[name]["metadata"]["annotations"].get(labels.LAST_USED, "")
        return found

    name = home_in(await hub.start("alice"))
    assert used() == ""
    for step in (hub.stop, hub.start, hub.stop):
        await step("alice")
        assert used().endswith("+00:00")
        hub.patch(name, {"metadata": {"annotations": {labels.LAST_USED: None}}})


async def test_d40_starts_add_nothing_up(hub: LittleHub) -> None:
    """D-40: what is configured is the same afterwards, and mounts do not pile up."""
    before = hub.traits["settings"].model_dump_json()
    users = ["alice", "bob"]
    pods = {user: (await hub.start(user))["spec"] for user in users}
    for user in users:
        await hub.stop(user)
    for number in range(10):
        user = users[number % 2]
        spec = (await hub.start(user))["spec"]
        assert spec["volumes"] == pods[user]["volumes"]
        assert spec["containers"][0]["volumeMounts"] == pods[user]["containers"][0]["volumeMounts"]
        await hub.stop(user)
    assert hub.traits["settings"].model_dump_json() == before
