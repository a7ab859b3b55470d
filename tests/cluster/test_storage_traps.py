"""Where KubeSpawner loses or hides files, and where they are with jhext."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from jhext.errors import SpawnRefused
from jhext.settings import load_settings
from jhext.storage import labels
from jhext.storage.errors import StorageReason
from tests.cluster.kubernetes.kubeconfig import Cluster
from tests.cluster.little_hub import LittleHub, Make, Ours, Stock, little_hubs

MOUNT = {"name": "data", "mount_path": "/data", "allow_all": True}
CLAIM = {"per": "server", "name": "claim-{user_server}", "retention": "delete_with_server"}


@pytest.fixture
async def make(apiserver: Cluster) -> AsyncIterator[Make]:
    async with little_hubs(apiserver) as made:
        yield made


def ours(make: Make, **claim: Any) -> LittleHub:
    return make(Ours, **with_claim(**claim))


def with_claim(**claim: Any) -> dict[str, Any]:
    home = {"source": {"type": "claim"}, "mount_path": "/home/jovyan"}
    settings = load_settings({"storage": {"home": home, "claims": {"home": {**CLAIM, **claim}}}})
    return {"settings": settings, "default_access": "allow"}


def stock(make: Make, **traits: Any) -> LittleHub:
    volume = {"name": "home", "persistentVolumeClaim": {"claimName": "{pvc_name}"}}
    mount = {"name": "home", "mountPath": "/home/jovyan"}
    common = {
        "storage_pvc_ensure": True,
        "storage_capacity": "1Gi",
        "volumes": [volume],
        "volume_mounts": [mount],
    }
    return make(Stock, **{**common, **traits})


def home_in(pod: dict[str, Any]) -> str:
    """Return the name of the claim that the home is in."""
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    for mount in pod["spec"]["containers"][0]["volumeMounts"]:
        if mount["mountPath"] == "/home/jovyan":
            name: str = volumes[mount["name"]]["persistentVolumeClaim"]["claimName"]
            return name
    raise AssertionError("nothing is mounted at the home")


async def refusal_of(hub: LittleHub, *server: str, **traits: Any) -> Any:
    with pytest.raises(SpawnRefused) as refused:
        await hub.start(*server, **traits)
    return refused.value.refusal


async def start_and_stop(hub: LittleHub, *server: str, **traits: Any) -> str:
    home = home_in(await hub.start(*server, **traits))
    await hub.stop(*server)
    return home


# A claim that all share is deleted with the first person


async def test_stock_deletes_the_shared_claim_with_the_first_person(make: Make) -> None:
    hub = stock(make, pvc_name_template="everybody")
    for user in ("alice", "bob"):
        await start_and_stop(hub, user)
    await hub.delete_user("alice")
    assert hub.claims() == {}


async def test_shared_claim_outlives_everybody(make: Make) -> None:
    home = {"source": {"type": "shared_claim", "claim": "everybody"}}
    claims = {"everybody": {"per": "hub", "access_modes": ["ReadWriteMany"]}}
    settings = load_settings({"storage": {"home": home, "claims": claims}})
    hub = make(Ours, settings=settings, default_access="allow")
    for user in ("alice", "bob"):
        pod = await hub.start(user)
        assert pod["spec"]["containers"][0]["volumeMounts"][-1]["subPath"] == user
        await hub.stop(user)
        await hub.delete_user(user)
    assert set(hub.claims()) == {"everybody"}


# A renamed server and the one that takes its name


async def test_stock_deletes_the_files_of_the_new_default_server(make: Make) -> None:
    hub = stock(make)
    before = await start_and_stop(hub, "alice")
    await hub.rename("alice", "", "proj")
    assert await start_and_stop(hub, "alice") == before, "two servers share one claim"
    await hub.remove("alice", "proj")
    assert hub.claims() == {}


@pytest.mark.parametrize("may_patch", [True, False])
async def test_renamed_server_keeps_its_claim_to_itself(make: Make, may_patch: bool) -> None:
    hub = ours(make)
    before = await start_and_stop(hub, "alice")
    if may_patch:
        await hub.rename("alice", "", "proj")
    else:
        rows = hub.users["alice"].orm_spawners
        rows["proj"] = rows.pop("")
        rows["proj"].name = "proj"
    default = await start_and_stop(hub, "alice")
    assert default != before
    assert await start_and_stop(hub, "alice", "proj") == before
    assert await start_and_stop(hub, "alice") == default
    await hub.remove("alice", "proj")
    left = {default} if may_patch else {default, before}  # which says that it is the default's
    assert set(hub.claims()) == left
    assert await start_and_stop(hub, "alice") == default


async def test_two_claims_for_one_server_are_not_guessed_between(make: Make) -> None:
    """D-45: after a rename that could not be written down, the database is lost."""
    hub = ours(make)
    first = await start_and_stop(hub, "alice")
    rows = hub.users["alice"].orm_spawners
    rows["proj"] = rows.pop("")
    rows["proj"].name = "proj"
    second = await start_and_stop(hub, "alice")
    hub.lose_database()
    refused = await refusal_of(hub, "alice")
    assert refused.reason is StorageReason.OLDER
    assert first in refused.message
    assert second in refused.message
    patch = labels.adoption("home", "keep", hub.spawner("alice")._owner())
    hub.patch(second, patch)
    assert await start_and_stop(hub, "alice") == second


# Names that were made before KubeSpawner 7


def claim_of_kubespawner_6(hub: LittleHub, name: str, user: str, label: str) -> None:
    metadata = {
        "name": name,
        "labels": {"hub.jupyter.org/username": label, "component": "singleuser-storage"},
        "annotations": {"hub.jupyter.org/username": user},
    }
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    manifest = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    hub.create_claim(manifest | {"metadata": metadata, "spec": spec})


OLD = ("claim-a-40b", "a@b", "a-40b")


async def test_stock_gives_an_empty_claim_beside_the_old_one(make: Make) -> None:
    """Once the state has the version of KubeSpawner, the old name is never looked for."""
    hub = stock(make)
    claim_of_kubespawner_6(hub, *OLD)
    assert await start_and_stop(hub, "a@b") != OLD[0]
    assert len(hub.claims()) == 2


async def test_old_claim_is_named_and_can_be_adopted(make: Make) -> None:
    hub = ours(make)
    claim_of_kubespawner_6(hub, *OLD)
    refused = await refusal_of(hub, "a@b")
    assert refused.reason is StorageReason.OLDER
    assert OLD[0] in refused.message
    assert "claim-a-b---" in refused.message
    assert f"jhext storage adopt {OLD[0]} --claim home --user a@b" in refused.detail
    assert set(hub.claims()) == {OLD[0]}
    hub.patch(OLD[0], labels.adoption("home", "keep", hub.spawner("a@b")._owner()))
    assert await start_and_stop(hub, "a@b") == OLD[0]
    assert set(hub.claims()) == {OLD[0]}


# Another template


async def test_stock_hides_the_files_when_the_template_and_the_database_change(make: Make) -> None:
    hub = stock(make)
    before = await start_and_stop(hub, "alice")
    hub.lose_database()
    assert await start_and_stop(hub, "alice", pvc_name_template="home-{user_server}") != before


async def test_changed_template_never_hides_files(make: Make) -> None:
    hub = ours(make)
    before = await start_and_stop(hub, "alice")
    changed = with_claim(name="home-{user_server}")
    assert await start_and_stop(hub, "alice", **changed) == before, "the server remembers"
    hub.lose_database()
    refused = await refusal_of(hub, "alice", **changed)
    assert refused.reason is StorageReason.OLDER
    assert set(hub.claims()) == {before}


async def test_claims_of_a_stock_hub_are_gone_on_with(make: Make) -> None:
    """What KubeSpawner remembers counts, also where jhext's template is another one."""
    hub = stock(make)
    before = await start_and_stop(hub, "alice")
    hub.kind, hub.traits = Ours, with_claim(name="home-{user_server}")
    assert await start_and_stop(hub, "alice") == before
    await hub.delete_user("alice")
    assert set(hub.claims()) == {before}, "nothing says that it may be deleted"


# Another kind of home


async def test_home_that_becomes_a_claim_or_a_directory_is_told(make: Make) -> None:
    source = {"type": "shared_claim", "claim": "everybody"}
    claims = {"everybody": {"per": "hub", "access_modes": ["ReadWriteMany"]}}
    init = {"create": "user", "image": "python"}
    storage = {"home": {"source": source}, "claims": claims, "init": init}
    in_directory = {"settings": load_settings({"storage": storage})}
    hub = make(Ours, default_access="allow", **in_directory)
    plan = plan_of(await hub.start("alice"))
    assert plan["moved_from"] == ""
    await hub.stop("alice")
    refused = await refusal_of(hub, "alice", **with_claim())
    assert refused.reason is StorageReason.OLDER
    assert "claim-alice, while your files were in /alice until now" in refused.message
    assert set(hub.claims()) == {"everybody"}
    claim = await start_and_stop(hub, "bob", **with_claim())
    assert plan_of(await hub.start("bob"))["moved_from"] == claim


def plan_of(pod: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be done about the directory of the home."""
    (making,) = pod["spec"]["initContainers"]
    (directory,) = json.loads(making["args"][1])["directories"]
    found: dict[str, Any] = directory
    return found


# A claim that somebody deletes


async def test_stock_starts_a_pod_whose_claim_is_gone(make: Make) -> None:
    """It would wait for it until the start_timeout."""
    hub = stock(make)
    name = await start_and_stop(hub, "alice")
    hub.delete_claim(name)
    assert home_in(await hub.start("alice")) == name
    assert hub.claims() == {}


async def test_claim_that_is_gone_is_said_at_once(make: Make) -> None:
    hub = ours(make)
    name = await start_and_stop(hub, "alice")
    hub.delete_claim(name)
    refused = await refusal_of(hub, "alice")
    assert refused.reason is StorageReason.LOST
    assert f"The volume {name} with your files is gone" in refused.message
    assert hub.claims() == {}
    changed = with_claim(when_lost="create")
    assert await start_and_stop(hub, "alice", **changed) == name
    assert set(hub.claims()) == {name}


async def test_next_server_gets_what_the_person_has(make: Make) -> None:
    """Also where the template has changed since: what one server remembers, all have."""
    one = {"per": "user", "name": "claim-{username}", "retention": "keep"}
    hub = ours(make, **one)
    before = await start_and_stop(hub, "alice")
    changed = with_claim(**{**one, "name": "home-{username}"})
    assert await start_and_stop(hub, "alice", "gpu", **changed) == before
    assert set(hub.claims()) == {before}


async def test_each_profile_has_its_own_claim(make: Make) -> None:
    claims = {"data": {"per": "profile", "access_modes": ["ReadWriteMany"]}}
    mount = {"type": "claim", "claim": "data"}
    storage = {"claims": claims, "mounts": [MOUNT | {"source": mount}]}
    profiles = [{"slug": slug, "display_name": slug, "allow_all": True} for slug in ("a", "b")]
    hub = make(Ours, settings=load_settings({"storage": storage, "profiles": profiles}))
    for slug in ("a", "b", "a"):
        hub.options = {"profile": slug}
        pod = await hub.start("alice")
        assert pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == f"data-{slug}"
        await hub.stop("alice")
    assert set(hub.claims()) == {"data-a", "data-b"}


# Deletion


async def test_stock_deletes_claims_that_it_did_not_make(make: Make) -> None:
    """And it does so although it is told to make none."""
    hub = stock(make, storage_pvc_ensure=False)
    claim_of_kubespawner_6(hub, "claim-alice", "somebody", "somebody")
    hub.user("alice")
    await hub.delete_user("alice")
    assert hub.claims() == {}


async def test_only_claims_that_say_so_are_deleted(make: Make) -> None:
    hub = ours(make)
    claim_of_kubespawner_6(hub, "claim-alice", "somebody", "somebody")
    assert (await refusal_of(hub, "alice")).reason is StorageReason.OTHERS
    kept = await start_and_stop(hub, "bob", **with_claim(retention="keep"))
    gone = await start_and_stop(hub, "carol")
    for user in ("alice", "bob", "carol"):
        await hub.delete_user(user)
    assert set(hub.claims()) == {"claim-alice", kept}
    assert gone == "claim-carol"


async def test_claim_that_a_pod_mounts_is_never_deleted(make: Make) -> None:
    hub = ours(make)
    name = home_in(await hub.start("alice"))
    await hub.spawner("alice").delete_forever()
    assert set(hub.claims()) == {name}
    await hub.stop("alice")
    await hub.delete_user("alice")
    assert hub.claims() == {}


async def test_named_server_takes_only_its_own_claim_along(make: Make) -> None:
    hub = ours(make)
    default, named = [await start_and_stop(hub, "alice", server) for server in ("", "gpu")]
    await hub.remove("alice", "gpu")
    assert set(hub.claims()) == {default}
    assert named == "claim-alice--gpu"


# Two servers, one claim


async def test_second_server_comes_to_the_node_of_the_first(make: Make) -> None:
    """D-55."""
    one = {"per": "user", "name": "claim-{username}", "retention": "delete_with_user"}
    hub = ours(make, **one)
    first, second = await hub.start("alice"), await hub.start("alice", "gpu")
    assert home_in(first) == home_in(second) == "claim-alice"
    (term,) = second["spec"]["affinity"]["podAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    assert term["labelSelector"]["matchLabels"].items() <= first["metadata"]["labels"].items()
    assert "affinity" not in first["spec"]
    await hub.stop("alice", "gpu")
    refused = await refusal_of(hub, "alice", "gpu", **with_claim(**one, when_in_use="refuse"))
    assert refused.reason is StorageReason.IN_USE
    assert "in use by your default server" in refused.message
    await hub.stop("alice")
    await hub.remove("alice", "gpu")
    assert set(hub.claims()) == {"claim-alice"}
