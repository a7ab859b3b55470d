"""What clients ask a server about itself: the same of the embedded cluster as of Kubernetes."""

import ssl

import aiohttp
import pytest
from kubernetes_asyncio import client

from tests.cluster.api_client import Api


async def test_version(cluster_api: Api) -> None:
    version = await client.VersionApi(cluster_api.api_client).get_code()
    assert version.git_version.startswith("v")


@pytest.mark.parametrize("path", ["/readyz", "/livez", "/healthz"])
async def test_health(cluster_api: Api, path: str) -> None:
    answer = await cluster_api.request("GET", path)
    assert (answer.status, answer.body) == (200, "ok")


async def test_core_resources(cluster_api: Api) -> None:
    answer = await cluster_api.request("GET", "/api/v1")
    assert answer.status == 200
    assert answer.body["kind"] == "APIResourceList"
    assert answer.body["groupVersion"] == "v1"
    resources = {entry["name"]: entry for entry in answer.body["resources"]}
    for name, kind, namespaced in (
        ("pods", "Pod", True),
        ("pods/status", "Pod", True),
        ("pods/log", "Pod", True),
        ("pods/binding", "Binding", True),
        ("pods/eviction", "Eviction", True),
        ("persistentvolumeclaims", "PersistentVolumeClaim", True),
        ("services", "Service", True),
        ("secrets", "Secret", True),
        ("configmaps", "ConfigMap", True),
        ("events", "Event", True),
        ("serviceaccounts", "ServiceAccount", True),
        ("namespaces", "Namespace", False),
        ("nodes", "Node", False),
    ):
        assert resources[name]["kind"] == kind
        assert resources[name]["namespaced"] is namespaced
    assert resources["pods"]["shortNames"] == ["po"]
    assert {"create", "delete", "get", "list", "patch", "update", "watch"} <= set(
        resources["pods"]["verbs"]
    )
    assert "get" in resources["pods/log"]["verbs"]


async def test_core_versions(cluster_api: Api) -> None:
    answer = await cluster_api.request("GET", "/api")
    assert (answer.status, answer.body["versions"]) == (200, ["v1"])


async def test_groups(cluster_api: Api) -> None:
    answer = await cluster_api.request("GET", "/apis")
    assert answer.status == 200
    assert answer.body["kind"] == "APIGroupList"
    groups = {group["name"]: group for group in answer.body["groups"]}
    preferred = groups["authorization.k8s.io"]["preferredVersion"]
    assert preferred == {"groupVersion": "authorization.k8s.io/v1", "version": "v1"}


async def test_one_group(cluster_api: Api) -> None:
    answer = await cluster_api.request("GET", "/apis/authorization.k8s.io")
    assert (answer.status, answer.body["kind"]) == (200, "APIGroup")
    answer = await cluster_api.request("GET", "/apis/authorization.k8s.io/v1")
    assert "selfsubjectaccessreviews" in {entry["name"] for entry in answer.body["resources"]}


async def test_openapi(cluster_api: Api) -> None:
    answer = await cluster_api.request("GET", "/openapi/v2")
    assert answer.status == 200
    assert "paths" in answer.body


async def test_access_review(cluster_api: Api) -> None:
    attributes = {"verb": "get", "resource": "pods", "namespace": cluster_api.namespace}
    review = await client.AuthorizationV1Api(
        cluster_api.api_client
    ).create_self_subject_access_review({"spec": {"resourceAttributes": attributes}})
    assert review.status.allowed


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/v1/namespaces/default/unknowns",
        "/apis/no.such.group",
        "/apis/no.such.group/v1",
        "/apis/no.such.group/v1/things",
    ],
)
async def test_unknown_path(cluster_api: Api, path: str) -> None:
    answer = await cluster_api.request("GET", path)
    assert answer.status == 404


async def test_unknown_subresource(cluster_api: Api) -> None:
    answer = await cluster_api.request("GET", cluster_api.path("configmaps", "a", "unknown"))
    assert (answer.status, answer.reason) == (404, "NotFound")


@pytest.mark.parametrize(
    ("method", "plural"), [("PUT", "configmaps"), ("PATCH", "configmaps"), ("POST", "pods/a/log")]
)
async def test_method_not_allowed(cluster_api: Api, method: str, plural: str) -> None:
    answer = await cluster_api.request(method, cluster_api.path(plural), {})
    assert (answer.status, answer.reason) == (405, "MethodNotAllowed")


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic wrong"])
async def test_unknown_client(cluster_api: Api, authorization: str | None) -> None:
    """Nobody without the token may do anything: whoever can start pods runs processes."""
    headers = {"Authorization": authorization} if authorization else {}
    trust = ssl.create_default_context(cafile=str(cluster_api.cluster.ca_file))
    url = cluster_api.cluster.url + cluster_api.path("pods")
    async with aiohttp.ClientSession(headers=headers) as stranger:
        for method in ("GET", "POST", "DELETE"):
            async with stranger.request(method, url, json={}, ssl=trust) as response:
                assert response.status == 401
                assert (await response.json())["reason"] == "Unauthorized"
