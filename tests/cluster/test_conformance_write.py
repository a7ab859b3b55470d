"""Changing objects: replacing, the patch formats, status, binding."""

from typing import Any

import pytest

from tests.cluster.api_client import APPLY, JSON, MERGE, STRATEGIC, Api, pod

CONFIG_MAP = {
    "metadata": {"name": "cm", "labels": {"a": "1", "b": "2"}, "annotations": {"x": "y"}},
    "data": {"k": "v"},
}


@pytest.fixture
async def config_map(cluster_api: Api) -> Any:
    return await cluster_api.created("configmaps", CONFIG_MAP)


async def test_replace(cluster_api: Api, config_map: Any) -> None:
    answer = await cluster_api.put("configmaps", {**config_map, "data": {"k": "w"}})
    assert (answer.status, answer.body["data"]) == (200, {"k": "w"})
    assert answer.body["metadata"]["uid"] == config_map["metadata"]["uid"]
    assert (
        answer.body["metadata"]["creationTimestamp"]
        == (config_map["metadata"]["creationTimestamp"])
    )


async def test_replace_from_an_old_state(cluster_api: Api, config_map: Any) -> None:
    await cluster_api.put("configmaps", {**config_map, "data": {"k": "w"}})
    answer = await cluster_api.put("configmaps", {**config_map, "data": {"k": "x"}})
    assert (answer.status, answer.reason) == (409, "Conflict")
    assert answer.body["details"] == {"name": "cm", "kind": "configmaps"}


async def test_replace_without_a_version(cluster_api: Api, config_map: Any) -> None:
    answer = await cluster_api.put("configmaps", {"metadata": {"name": "cm"}, "data": {"k": "w"}})
    assert (answer.status, answer.body["data"]) == (200, {"k": "w"})
    assert "labels" not in answer.body["metadata"]


async def test_replace_with_another_uid(cluster_api: Api, config_map: Any) -> None:
    metadata = {"name": "cm", "uid": "00000000-0000-0000-0000-000000000000"}
    answer = await cluster_api.put("configmaps", {"metadata": metadata})
    assert (answer.status, answer.reason) == (409, "Conflict")


async def test_replace_with_another_name(cluster_api: Api, config_map: Any) -> None:
    path = cluster_api.path("configmaps", "cm")
    answer = await cluster_api.request("PUT", path, {"metadata": {"name": "other"}})
    assert (answer.status, answer.reason) == (400, "BadRequest")


async def test_replace_what_is_missing(cluster_api: Api) -> None:
    answer = await cluster_api.put("configmaps", CONFIG_MAP)
    assert (answer.status, answer.reason) == (404, "NotFound")


async def test_no_change_no_new_version(cluster_api: Api, config_map: Any) -> None:
    answer = await cluster_api.put("configmaps", config_map)
    version = config_map["metadata"]["resourceVersion"]
    assert answer.body["metadata"]["resourceVersion"] == version


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        (MERGE, {"metadata": {"labels": {"b": None, "n": "1"}}}),
        (STRATEGIC, {"metadata": {"labels": {"b": None, "n": "1"}}}),
        (
            JSON,
            [
                {"op": "remove", "path": "/metadata/labels/b"},
                {"op": "add", "path": "/metadata/labels/n", "value": "1"},
            ],
        ),
    ],
)
async def test_patch(cluster_api: Api, config_map: Any, content_type: str, patch: Any) -> None:
    answer = await cluster_api.patch("configmaps", "cm", patch, content_type)
    assert answer.status == 200
    assert answer.body["metadata"]["labels"] == {"a": "1", "n": "1"}
    assert answer.body["data"] == {"k": "v"}
    assert answer.body["metadata"]["uid"] == config_map["metadata"]["uid"]
    assert int(answer.body["metadata"]["resourceVersion"]) > int(
        config_map["metadata"]["resourceVersion"]
    )


async def test_typed_patches(cluster_api: Api, config_map: Any) -> None:
    for patch, expected in (
        ([{"op": "add", "path": "/metadata/labels/c", "value": "3"}], "3"),
        ({"metadata": {"labels": {"c": "4"}}}, "4"),
    ):
        patched = await cluster_api.core.patch_namespaced_config_map(
            "cm", cluster_api.namespace, patch
        )
        assert patched.metadata.labels["c"] == expected


@pytest.mark.parametrize(
    ("content_type", "patch", "status"),
    [
        (JSON, [{"op": "remove", "path": "/data/missing"}], 422),
        (JSON, [{"op": "test", "path": "/data/k", "value": "other"}], 422),
        (MERGE, {"data": {"k": 1}}, 422),
        (MERGE, {"metadata": {"labels": {"a": "b c"}}}, 422),
        (MERGE, {"metadata": {"resourceVersion": "1"}}, 409),
        (MERGE, [], 422),
        ("application/json", {}, 415),
    ],
)
async def test_refused_patch(
    cluster_api: Api, config_map: Any, content_type: str, patch: Any, status: int
) -> None:
    answer = await cluster_api.patch("configmaps", "cm", patch, content_type)
    assert answer.status == status, answer.body
    assert (await cluster_api.get("configmaps", "cm")).body["data"] == {"k": "v"}


async def test_unreadable_patch(cluster_api: Api, config_map: Any) -> None:
    answer = await cluster_api.patch("configmaps", "cm", "{not json")
    assert answer.status in (400, 500)  # 1.20 takes it for a fault of its own


async def test_patch_what_is_missing(cluster_api: Api) -> None:
    answer = await cluster_api.patch("configmaps", "zz", {})
    assert (answer.status, answer.reason) == (404, "NotFound")


async def test_patch_dry_run(cluster_api: Api, config_map: Any) -> None:
    answer = await cluster_api.patch("configmaps", "cm", {"data": {"k": "w"}}, dryRun="All")
    assert answer.body["data"] == {"k": "w"}
    assert (await cluster_api.get("configmaps", "cm")).body["data"] == {"k": "v"}


async def test_merge_patch_replaces_lists(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("p"))
    tolerations = [{"key": "a", "operator": "Exists", "effect": "NoSchedule"}]
    answer = await cluster_api.patch("pods", "p", {"spec": {"containers": [{"name": "c"}]}})
    assert answer.status == 422
    answer = await cluster_api.patch("pods", "p", {"spec": {"tolerations": tolerations}})
    assert answer.status == 200
    assert tolerations[0] in answer.body["spec"]["tolerations"]


async def test_strategic_patch_merges_lists(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("p"))
    patch = {
        "metadata": {"annotations": {"x": "y"}},
        "spec": {"containers": [{"name": "c", "image": "example.test/image:2"}]},
    }
    answer = await cluster_api.patch("pods", "p", patch, STRATEGIC)
    assert answer.status == 200, answer.body
    [container] = answer.body["spec"]["containers"]
    assert container["command"] == ["sleep", "1"]
    assert container["image"] == "example.test/image:2"


async def test_strategic_patch_of_ports(cluster_api: Api) -> None:
    spec = {"selector": {"a": "b"}, "ports": [{"name": "a", "port": 80}]}
    await cluster_api.created("services", {"metadata": {"name": "svc"}, "spec": spec})
    patch = {"spec": {"ports": [{"name": "b", "port": 81}, {"name": "a", "port": 80}]}}
    answer = await cluster_api.patch("services", "svc", patch, STRATEGIC)
    assert answer.status == 200
    assert {port["port"] for port in answer.body["spec"]["ports"]} == {80, 81}
    patch = {"spec": {"ports": [{"port": 81, "$patch": "delete"}]}}
    answer = await cluster_api.patch("services", "svc", patch, STRATEGIC)
    assert [port["port"] for port in answer.body["spec"]["ports"]] == [80]


async def test_apply_creates_and_changes(cluster_api: Api) -> None:
    path = cluster_api.path("configmaps", "applied")
    for value, status in (("1", 201), ("2", 200)):
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "applied"},
            "data": {"a": value},
        }
        answer = await cluster_api.request(
            "PATCH", path, body, content_type=APPLY, fieldManager="me", force="true"
        )
        assert (answer.status, answer.body["data"]) == (status, {"a": value})


async def test_status_is_its_own(cluster_api: Api) -> None:
    """Spec and status are written by different people, and neither writes the other's."""
    await cluster_api.created("pods", pod("p"))
    patch = {
        "metadata": {"labels": {"app": "y"}},
        "spec": {"restartPolicy": "Never"},
        "status": {"phase": "Running", "podIP": "10.0.0.9"},
    }
    answer = await cluster_api.patch("pods", "p", patch, subresource="status")
    assert answer.status == 200, answer.body
    assert answer.body["status"]["podIP"] == "10.0.0.9"
    assert answer.body["spec"]["restartPolicy"] == "Always"
    answer = await cluster_api.patch("pods", "p", {"status": {"podIP": "6.6.6.6"}})
    assert answer.status == 200
    read = await cluster_api.get("pods", "p")
    assert read.body["status"]["podIP"] == "10.0.0.9"


@pytest.mark.parametrize(
    "spec",
    [
        {"restartPolicy": "Never"},
        {"nodeName": "n"},
        {"volumes": [{"name": "v", "emptyDir": {}}]},
        {"securityContext": {"runAsUser": 0}},
    ],
)
async def test_pod_spec_is_fixed(cluster_api: Api, spec: Any) -> None:
    await cluster_api.created("pods", pod("p"))
    answer = await cluster_api.patch("pods", "p", {"spec": spec})
    assert (answer.status, answer.reason) == (422, "Invalid")


async def test_binding(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("p"))
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "p"},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "n"},
    }
    path = cluster_api.path("pods", "p", "binding")
    answer = await cluster_api.request("POST", path, binding)
    assert (answer.status, answer.body["status"]) == (201, "Success")
    assert (await cluster_api.get("pods", "p")).body["spec"]["nodeName"] == "n"
    answer = await cluster_api.request("POST", path, binding)
    assert (answer.status, answer.reason) == (409, "Conflict")
