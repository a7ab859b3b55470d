"""Creating objects: what is filled in, and what is refused."""

from typing import Any

import pytest
from kubernetes_asyncio import client

from tests.cluster.api_client import Api, claim, pod


async def test_server_fills_metadata(cluster_api: Api) -> None:
    created = await cluster_api.created("pods", pod("p"))
    metadata = created["metadata"]
    assert metadata["uid"]
    assert metadata["resourceVersion"].isdigit()
    assert metadata["creationTimestamp"].endswith("Z")
    assert metadata["namespace"] == cluster_api.namespace
    read = await cluster_api.get("pods", "p")
    assert read.body["metadata"]["uid"] == metadata["uid"]


async def test_client_does_not_choose_metadata(cluster_api: Api) -> None:
    uid = "00000000-0000-0000-0000-000000000000"
    metadata = {"name": "m", "uid": uid, "creationTimestamp": "2001-01-01T00:00:00Z"}
    created = await cluster_api.created("configmaps", {"metadata": metadata})
    assert created["metadata"]["uid"] != uid
    assert not created["metadata"]["creationTimestamp"].startswith("2001")


async def test_kind_filled_for_typed_client(cluster_api: Api) -> None:
    container = client.V1Container(name="c", image="example.test/image")
    body = client.V1Pod(
        metadata=client.V1ObjectMeta(name="typed"),
        spec=client.V1PodSpec(containers=[container], scheduler_name="nobody"),
    )
    created = await cluster_api.core.create_namespaced_pod(cluster_api.namespace, body)
    assert created.metadata.name == "typed"
    read = await cluster_api.get("pods", "typed")
    assert (read.body["kind"], read.body["apiVersion"]) == ("Pod", "v1")


async def test_pod_defaults(cluster_api: Api) -> None:
    body = pod("p")
    body["spec"]["containers"][0]["ports"] = [{"containerPort": 8888}]
    created = await cluster_api.created("pods", body)
    assert created["status"]["phase"] == "Pending"
    assert created["status"]["qosClass"] == "BestEffort"
    spec = created["spec"]
    assert spec["restartPolicy"] == "Always"
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["dnsPolicy"] == "ClusterFirst"
    assert spec["securityContext"] == {}
    assert spec["enableServiceLinks"] is True
    container = spec["containers"][0]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["resources"] == {}
    assert container["ports"] == [{"containerPort": 8888, "protocol": "TCP"}]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("example.test:5000/a", "Always"),
        ("example.test/a:latest", "Always"),
        ("example.test/a:1", "IfNotPresent"),
        (f"example.test/a@sha256:{'0' * 64}", "IfNotPresent"),
    ],
)
async def test_image_pull_policy(cluster_api: Api, image: str, policy: str) -> None:
    body = pod("p")
    body["spec"]["containers"][0]["image"] = image
    created = await cluster_api.created("pods", body)
    assert created["spec"]["containers"][0]["imagePullPolicy"] == policy


@pytest.mark.parametrize(
    ("resources", "qos_class"),
    [
        ({"limits": {"memory": "1Gi"}}, "Burstable"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"memory": "1Gi", "cpu": "1"}}, "Guaranteed"),
        (
            {"limits": {"memory": "1Gi", "cpu": "1"}, "requests": {"cpu": "500m"}},
            "Burstable",
        ),
        ({"limits": {"memory": 1073741824, "cpu": 0.5}}, "Guaranteed"),
    ],
)
async def test_qos_class(cluster_api: Api, resources: Any, qos_class: str) -> None:
    body = pod("p")
    body["spec"]["containers"][0]["resources"] = resources
    created = await cluster_api.created("pods", body)
    assert created["status"]["qosClass"] == qos_class


async def test_status_is_not_taken(cluster_api: Api) -> None:
    created = await cluster_api.created("pods", {**pod("p"), "status": {"phase": "Running"}})
    assert created["status"]["phase"] == "Pending"


async def test_generate_name(cluster_api: Api) -> None:
    body = {"metadata": {"generateName": "gen-"}}
    names = [(await cluster_api.created("configmaps", body))["metadata"]["name"] for _ in range(2)]
    assert all(name.startswith("gen-") and len(name) > len("gen-") for name in names)
    assert names[0] != names[1]


async def test_namespace_becomes_active(cluster_api: Api) -> None:
    answer = await cluster_api.core.read_namespace(cluster_api.namespace)
    assert answer.status.phase == "Active"


async def test_claim_is_pending_and_protected(cluster_api: Api) -> None:
    body = client.V1PersistentVolumeClaim(
        metadata=client.V1ObjectMeta(name="claim-a"),
        spec=client.V1PersistentVolumeClaimSpec(
            access_modes=["ReadWriteOnce"],
            resources=client.V1VolumeResourceRequirements(requests={"storage": "1Gi"}),
        ),
    )
    created = await cluster_api.core.create_namespaced_persistent_volume_claim(
        cluster_api.namespace, body
    )
    assert created.status.phase == "Pending"
    assert created.spec.volume_mode == "Filesystem"
    assert created.metadata.finalizers == ["kubernetes.io/pvc-protection"]


async def test_secret_from_text(cluster_api: Api) -> None:
    body = {"metadata": {"name": "s"}, "stringData": {"a": "b"}, "data": {"c": "ZA=="}}
    created = await cluster_api.created("secrets", body)
    assert created["data"] == {"a": "Yg==", "c": "ZA=="}
    assert "stringData" not in created
    assert created["type"] == "Opaque"


async def test_service_gets_an_address(cluster_api: Api) -> None:
    body = {"metadata": {"name": "svc"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}
    created = await cluster_api.created("services", body)
    assert created["spec"]["clusterIP"]
    assert created["spec"]["type"] == "ClusterIP"
    assert created["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]


async def test_headless_service(cluster_api: Api) -> None:
    body = {"metadata": {"name": "svc"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}
    created = await cluster_api.created("services", body)
    assert created["spec"]["clusterIP"] == "None"


async def test_dry_run_leaves_nothing(cluster_api: Api) -> None:
    answer = await cluster_api.create("configmaps", {"metadata": {"name": "dry"}}, dryRun="All")
    assert answer.status == 201
    assert answer.body["metadata"]["uid"]
    assert (await cluster_api.get("configmaps", "dry")).status == 404


async def test_second_time(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("p"))
    answer = await cluster_api.create("pods", pod("p"))
    assert (answer.status, answer.reason) == (409, "AlreadyExists")
    assert answer.body["kind"] == "Status"
    assert answer.body["details"] == {"name": "p", "kind": "pods"}
    assert answer.body["message"] == 'pods "p" already exists'


async def test_in_a_missing_namespace(cluster_api: Api) -> None:
    path = "/api/v1/namespaces/no-such-namespace/configmaps"
    answer = await cluster_api.request("POST", path, {"metadata": {"name": "a"}})
    assert (answer.status, answer.reason) == (404, "NotFound")
    assert answer.body["details"] == {"name": "no-such-namespace", "kind": "namespaces"}


async def test_across_namespaces(cluster_api: Api) -> None:
    body = {"metadata": {"name": "a", "namespace": "default"}}
    answer = await cluster_api.create("configmaps", body)
    assert (answer.status, answer.reason) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("plural", "body", "field"),
    [
        ("configmaps", {"metadata": {"name": "Bad_Name"}}, "metadata.name"),
        ("configmaps", {"metadata": {"name": "a" * 254}}, "metadata.name"),
        ("services", {"metadata": {"name": "1a"}, "spec": {"ports": [{"port": 80}]}}, None),
        ("configmaps", {"metadata": {}}, "metadata.name"),
        ("configmaps", {"metadata": {"name": "a", "labels": {"a": "b c"}}}, "metadata.labels"),
        ("configmaps", {"metadata": {"name": "a", "labels": {"a b": "c"}}}, "metadata.labels"),
        ("configmaps", {"metadata": {"name": "a", "labels": {"a": "b" * 64}}}, "metadata.labels"),
        ("pods", {"metadata": {"name": "a"}, "spec": {}}, "spec.containers"),
        ("pods", pod("a", containers=[{"image": "x"}]), "spec.containers[0].name"),
        ("pods", pod("a", containers=[{"name": "c"}]), "spec.containers[0].image"),
        ("pods", pod("a", containers=[{"name": "C", "image": "x"}]), "spec.containers[0].name"),
        (
            "pods",
            pod("a", containers=[{"name": "c", "image": "x"}] * 2),
            "spec.containers[1].name",
        ),
        (
            "pods",
            pod(
                "a",
                containers=[
                    {
                        "name": "c",
                        "image": "x",
                        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                    }
                ],
            ),
            "spec.containers[0].volumeMounts[0].name",
        ),
    ],
)
async def test_invalid(cluster_api: Api, plural: str, body: Any, field: str | None) -> None:
    answer = await cluster_api.create(plural, body)
    assert (answer.status, answer.reason) == (422, "Invalid"), answer.body
    causes = {cause["field"] for cause in answer.body["details"]["causes"]}
    assert field is None or field in causes


@pytest.mark.parametrize(
    ("plural", "body"),
    [
        ("pods", {"metadata": {"name": "a"}, "spec": {"containers": "x"}}),
        ("pods", pod("a", terminationGracePeriodSeconds="soon")),
        ("pods", pod("a", hostNetwork="yes")),
        (
            "pods",
            pod(
                "a",
                containers=[{"name": "c", "image": "x", "resources": {"limits": {"cpu": "lots"}}}],
            ),
        ),
        ("pods", {**pod("a"), "kind": "ConfigMap"}),
        ("configmaps", {"metadata": {"name": "a"}, "data": {"a": 1}}),
        ("configmaps", {"metadata": {"name": "a"}, "binaryData": {"a": "***"}}),
        ("secrets", {"metadata": {"name": "a"}, "data": {"a": "***"}}),
        ("configmaps", {"metadata": {"name": "a", "annotations": {"a": 1}}}),
        ("configmaps", "{not json"),
        ("configmaps", []),
        (
            "pods",
            pod(
                "a",
                containers=[{"name": "c", "image": "x", "env": [{"name": "A", "value": 1}]}],
            ),
        ),
    ],
)
async def test_wrong_type(cluster_api: Api, plural: str, body: Any) -> None:
    answer = await cluster_api.create(plural, body)
    assert (answer.status, answer.reason) == (400, "BadRequest"), answer.body


async def test_unknown_field_is_ignored(cluster_api: Api) -> None:
    answer = await cluster_api.create("pods", pod("a", fooBar=1))
    assert answer.status == 201


async def test_yaml(cluster_api: Api) -> None:
    answer = await cluster_api.request(
        "POST",
        cluster_api.path("configmaps"),
        "metadata:\n  name: from-yaml\ndata:\n  a: b\n",
        content_type="application/yaml",
    )
    assert (answer.status, answer.body["data"]) == (201, {"a": "b"})


async def test_claim_twice(cluster_api: Api) -> None:
    """KubeSpawner creates a claim at every start and takes 409 for an answer."""
    await cluster_api.created("persistentvolumeclaims", claim("c"))
    answer = await cluster_api.create("persistentvolumeclaims", claim("c"))
    assert (answer.status, answer.reason) == (409, "AlreadyExists")
