"""Deleting: at once, with grace, on conditions, and what goes with it."""

from typing import Any

import pytest
from kubernetes_asyncio import client

from tests.cluster.api_client import Api, claim, pod


async def test_gone(cluster_api: Api) -> None:
    created = await cluster_api.created("configmaps", {"metadata": {"name": "a"}})
    answer = await cluster_api.delete("configmaps", "a")
    assert answer.status == 200
    assert (answer.body["kind"], answer.body["status"]) == ("Status", "Success")
    uid = created["metadata"]["uid"]
    assert answer.body["details"] == {"name": "a", "kind": "configmaps", "uid": uid}
    assert (await cluster_api.get("configmaps", "a")).status == 404


async def test_typed_delete(cluster_api: Api) -> None:
    await cluster_api.created("secrets", {"metadata": {"name": "a"}})
    await cluster_api.core.delete_namespaced_secret("a", cluster_api.namespace)
    assert (await cluster_api.get("secrets", "a")).status == 404


async def test_missing(cluster_api: Api) -> None:
    answer = await cluster_api.delete("configmaps", "zz")
    assert (answer.status, answer.reason) == (404, "NotFound")


async def test_dry_run(cluster_api: Api) -> None:
    await cluster_api.created("configmaps", {"metadata": {"name": "a"}})
    assert (await cluster_api.delete("configmaps", "a", dryRun="All")).status == 200
    assert (await cluster_api.get("configmaps", "a")).status == 200


async def test_recreated_is_another(cluster_api: Api) -> None:
    first = await cluster_api.created("configmaps", {"metadata": {"name": "a"}})
    await cluster_api.delete("configmaps", "a")
    second = await cluster_api.created("configmaps", {"metadata": {"name": "a"}})
    assert first["metadata"]["uid"] != second["metadata"]["uid"]


async def test_pod_on_a_node_has_grace(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("p", nodeName="n"))
    await cluster_api.core.delete_namespaced_pod(
        "p", cluster_api.namespace, body=client.V1DeleteOptions(grace_period_seconds=5)
    )
    marked = (await cluster_api.get("pods", "p")).body["metadata"]
    assert marked["deletionTimestamp"]
    assert marked["deletionGracePeriodSeconds"] == 5
    # Once more changes nothing, and longer is not possible.
    for grace in ({}, {"gracePeriodSeconds": 60}):
        assert (await cluster_api.delete("pods", "p", grace)).status == 200
        again = (await cluster_api.get("pods", "p")).body["metadata"]
        assert again["deletionGracePeriodSeconds"] == 5
    # Shorter is.
    await cluster_api.delete("pods", "p", gracePeriodSeconds="2")
    shorter = (await cluster_api.get("pods", "p")).body["metadata"]
    assert shorter["deletionGracePeriodSeconds"] == 2
    answer = await cluster_api.delete("pods", "p", {"gracePeriodSeconds": 0})
    assert (answer.status, answer.body["kind"]) == (200, "Pod")
    assert (await cluster_api.get("pods", "p")).status == 404


async def test_grace_from_the_pod(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("p", nodeName="n", terminationGracePeriodSeconds=7))
    answer = await cluster_api.delete("pods", "p")
    assert answer.body["metadata"]["deletionGracePeriodSeconds"] == 7
    await cluster_api.delete("pods", "p", {"gracePeriodSeconds": 0})


async def test_pod_without_a_node_needs_no_grace(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("p"))
    answer = await cluster_api.delete("pods", "p")
    assert (answer.status, answer.body["kind"]) == (200, "Pod")
    assert (await cluster_api.get("pods", "p")).status == 404


async def test_finished_pod_needs_no_grace(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("p", nodeName="n"))
    await cluster_api.patch("pods", "p", {"status": {"phase": "Failed"}}, subresource="status")
    await cluster_api.delete("pods", "p")
    assert (await cluster_api.get("pods", "p")).status == 404


@pytest.mark.parametrize(
    "preconditions",
    [{"uid": "00000000-0000-0000-0000-000000000000"}, {"resourceVersion": "1"}],
)
async def test_precondition_fails(cluster_api: Api, preconditions: Any) -> None:
    await cluster_api.created("configmaps", {"metadata": {"name": "a"}})
    answer = await cluster_api.delete("configmaps", "a", {"preconditions": preconditions})
    assert (answer.status, answer.reason) == (409, "Conflict")
    assert (await cluster_api.get("configmaps", "a")).status == 200


async def test_precondition_holds(cluster_api: Api) -> None:
    created = await cluster_api.created("configmaps", {"metadata": {"name": "a"}})
    preconditions = {key: created["metadata"][key] for key in ("uid", "resourceVersion")}
    answer = await cluster_api.delete("configmaps", "a", {"preconditions": preconditions})
    assert answer.status == 200
    assert (await cluster_api.get("configmaps", "a")).status == 404


async def test_finalizers_hold(cluster_api: Api) -> None:
    metadata = {"name": "fin", "finalizers": ["example.test/hold"]}
    await cluster_api.created("configmaps", {"metadata": metadata})
    answer = await cluster_api.delete("configmaps", "fin")
    assert (answer.status, answer.body["kind"]) == (200, "ConfigMap")
    held = await cluster_api.get("configmaps", "fin")
    assert held.body["metadata"]["deletionTimestamp"]
    answer = await cluster_api.patch("configmaps", "fin", {"metadata": {"finalizers": None}})
    assert answer.status == 200
    assert (await cluster_api.get("configmaps", "fin")).status == 404


async def test_pods_with_finalizers_wait_for_both(cluster_api: Api) -> None:
    body = pod("p", nodeName="n")
    body["metadata"]["finalizers"] = ["example.test/hold"]
    await cluster_api.created("pods", body)
    await cluster_api.delete("pods", "p", {"gracePeriodSeconds": 5})
    await cluster_api.patch("pods", "p", {"metadata": {"finalizers": None}})
    assert (await cluster_api.get("pods", "p")).status == 200
    await cluster_api.delete("pods", "p", {"gracePeriodSeconds": 0})
    assert (await cluster_api.get("pods", "p")).status == 404


async def test_collection(cluster_api: Api) -> None:
    for name in "ab":
        metadata = {"name": f"dc-{name}", "labels": {"dc": name}}
        await cluster_api.created("configmaps", {"metadata": metadata})
    answer = await cluster_api.delete("configmaps", labelSelector="dc=a")
    assert answer.status == 200
    assert answer.body["kind"] == "ConfigMapList"
    assert (await cluster_api.get("configmaps", labelSelector="dc")).names == ["dc-b"]


async def test_bad_grace(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("p"))
    answer = await cluster_api.delete("pods", "p", gracePeriodSeconds="soon")
    assert (answer.status, answer.reason) == (400, "BadRequest")


@pytest.mark.parametrize("plural", ["services", "secrets", "serviceaccounts", "events"])
async def test_answer_to_delete(cluster_api: Api, plural: str) -> None:
    bodies = {
        "services": {"spec": {"ports": [{"port": 80}]}},
        "events": {"involvedObject": {"namespace": cluster_api.namespace}},
    }
    body = {"metadata": {"name": "a"}, **bodies.get(plural, {})}
    await cluster_api.created(plural, body)
    answer = await cluster_api.delete(plural, "a")
    kinds = {"serviceaccounts": "ServiceAccount"}
    assert (answer.status, answer.body["kind"]) == (200, kinds.get(plural, "Status"))


async def test_eviction(full_api: Api) -> None:
    await full_api.created("pods", pod("p"))
    eviction = {
        "apiVersion": "policy/v1beta1",
        "kind": "Eviction",
        "metadata": {"name": "p", "namespace": full_api.namespace},
    }
    path = full_api.path("pods", "p", "eviction")
    answer = await full_api.request("POST", path, eviction)
    assert (answer.status, answer.body["status"]) == (201, "Success")
    assert (await full_api.get("pods", "p")).status == 404


# What the controllers do


async def test_owned_objects_go_with_their_owner(full_api: Api) -> None:
    owner = await full_api.created("configmaps", {"metadata": {"name": "owner"}})
    other = await full_api.created("configmaps", {"metadata": {"name": "other"}})

    def owned_by(*owners: Any) -> Any:
        return [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "name": one["metadata"]["name"],
                "uid": one["metadata"]["uid"],
            }
            for one in owners
        ]

    for name, owners in (("one", [owner]), ("both", [owner, other])):
        metadata = {"name": name, "ownerReferences": owned_by(*owners)}
        await full_api.created("secrets", {"metadata": metadata})
    await full_api.delete("configmaps", "owner")
    await full_api.until_gone(full_api.path("secrets"), "one")
    assert (await full_api.get("secrets", "both")).status == 200
    await full_api.delete("configmaps", "other")
    await full_api.until_gone(full_api.path("secrets"), "both")


async def test_claim_goes_when_no_pod_uses_it(full_api: Api) -> None:
    await full_api.created("persistentvolumeclaims", claim("c"))
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    await full_api.created("pods", pod("p", nodeName="elsewhere", volumes=volumes))
    answer = await full_api.delete("persistentvolumeclaims", "c")
    assert (answer.status, answer.body["kind"]) == (200, "PersistentVolumeClaim")
    held = await full_api.get("persistentvolumeclaims", "c")
    assert held.body["metadata"]["deletionTimestamp"]
    await full_api.delete("pods", "p", {"gracePeriodSeconds": 0})
    await full_api.until_gone(full_api.path("persistentvolumeclaims"), "c")


async def test_namespace_goes_with_everything(full_api: Api) -> None:
    name = f"{full_api.namespace}-b"
    await full_api.core.create_namespace({"metadata": {"name": name}})
    path = f"/api/v1/namespaces/{name}/configmaps"
    await full_api.request("POST", path, {"metadata": {"name": "a"}})
    answer = await full_api.request("DELETE", f"/api/v1/namespaces/{name}")
    assert answer.body["status"]["phase"] == "Terminating"
    await full_api.until_gone("/api/v1/namespaces", name)
    answer = await full_api.request("GET", path)
    assert (answer.status, answer.body["items"]) == (200, [])
