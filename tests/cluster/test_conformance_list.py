"""Reading objects: one, many, chosen by labels and fields, in pages, as a table."""

import pytest

from tests.cluster.api_client import Api, pod

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


async def test_missing(cluster_api: Api) -> None:
    answer = await cluster_api.get("pods", "zz")
    assert (answer.status, answer.reason) == (404, "NotFound")
    assert answer.body["details"] == {"name": "zz", "kind": "pods"}
    assert answer.body["message"] == 'pods "zz" not found'


async def test_list(cluster_api: Api) -> None:
    for name in ("b", "a"):
        await cluster_api.created("pods", pod(name))
    answer = await cluster_api.get("pods")
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("PodList", "v1")
    assert answer.body["metadata"]["resourceVersion"].isdigit()
    assert answer.names == ["a", "b"]
    assert all(item["metadata"]["resourceVersion"].isdigit() for item in answer.body["items"])


async def test_typed_list(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("a"))
    listed = await cluster_api.core.list_namespaced_pod(cluster_api.namespace)
    assert [item.metadata.name for item in listed.items] == ["a"]


async def test_list_not_older_than(cluster_api: Api) -> None:
    """A list as KubeSpawner's reflector asks for it."""
    await cluster_api.created("pods", pod("a"))
    for version in ("0", await cluster_api.revision("pods")):
        listed = await cluster_api.core.list_namespaced_pod(
            cluster_api.namespace, resource_version=version, resource_version_match="NotOlderThan"
        )
        assert [item.metadata.name for item in listed.items] == ["a"]


async def test_list_of_a_missing_namespace_is_empty(cluster_api: Api) -> None:
    answer = await cluster_api.request("GET", "/api/v1/namespaces/no-such-namespace/pods")
    assert (answer.status, answer.body["items"]) == (200, [])


async def test_all_namespaces(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("a"))
    listed = await cluster_api.core.list_pod_for_all_namespaces()
    assert cluster_api.namespace in {item.metadata.namespace for item in listed.items}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("tier=a", ["la"]),
        ("tier==b", ["lb"]),
        ("tier = b", ["lb"]),
        ("tier!=a", ["lb", "lc"]),
        ("tier!=a,tier", ["lb"]),
        ("tier in (a,b)", ["la", "lb"]),
        ("tier in (a, b)", ["la", "lb"]),
        ("tier notin (a)", ["lb", "lc"]),
        ("tier notin (a),tier", ["lb"]),
        ("z", ["la"]),
        ("!z", ["lb", "lc"]),
        ("!z,tier", ["lb"]),
        ("tier=a,z=1", ["la"]),
        ("tier=a,z=2", []),
        ("e=", ["lc"]),
        ("example.test/x", ["lc"]),
        ("", ["la", "lb", "lc"]),
    ],
)
async def test_label_selector(cluster_api: Api, selector: str, expected: list[str]) -> None:
    for name, labels in (
        ("la", {"tier": "a", "z": "1"}),
        ("lb", {"tier": "b"}),
        ("lc", {"e": "", "example.test/x": "y"}),
    ):
        metadata = {"name": name, "labels": {**labels, "mine": "yes"}}
        await cluster_api.created("configmaps", {"metadata": metadata})
    both = f"mine,{selector}" if selector else "mine"
    answer = await cluster_api.get("configmaps", labelSelector=both)
    assert answer.names == expected


@pytest.mark.parametrize("selector", ["a in", "a in (b", "a=b=c", "a b", "in (a)", "=a", ",", "a,"])
async def test_unreadable_label_selector(cluster_api: Api, selector: str) -> None:
    answer = await cluster_api.get("configmaps", labelSelector=selector)
    assert (answer.status, answer.reason) == (400, "BadRequest"), answer.body


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("metadata.name=a", ["a"]),
        ("metadata.name!=a", ["b"]),
        ("metadata.name==b", ["b"]),
        ("spec.nodeName=", ["a"]),
        ("spec.nodeName=n", ["b"]),
        ("status.phase=Pending", ["a", "b"]),
        ("status.phase!=Pending", []),
        ("status.phase=Pending,metadata.name=b", ["b"]),
        ("spec.schedulerName=nobody", ["a", "b"]),
        ("spec.restartPolicy=Always", ["a", "b"]),
    ],
)
async def test_field_selector_of_pods(cluster_api: Api, selector: str, expected: list[str]) -> None:
    await cluster_api.created("pods", pod("a"))
    await cluster_api.created("pods", pod("b", nodeName="n"))
    answer = await cluster_api.get("pods", fieldSelector=selector)
    assert answer.names == expected


@pytest.mark.parametrize(
    ("plural", "selector"),
    [("pods", "spec.hostname=a"), ("configmaps", "data=a"), ("pods", "metadata.name")],
)
async def test_field_that_cannot_be_selected(cluster_api: Api, plural: str, selector: str) -> None:
    answer = await cluster_api.get(plural, fieldSelector=selector)
    assert (answer.status, answer.reason) == (400, "BadRequest"), answer.body


async def test_events_of_pods(cluster_api: Api) -> None:
    """The events that KubeSpawner asks for, to show them while a server starts."""
    for name, kind in (("e1", "Pod"), ("e2", "PersistentVolumeClaim")):
        involved = {"kind": kind, "name": "p", "namespace": cluster_api.namespace}
        body = {
            "metadata": {"name": name},
            "involvedObject": involved,
            "type": "Normal",
            "reason": "R",
            "source": {"component": "test"},
        }
        await cluster_api.created("events", body)
    listed = await cluster_api.core.list_namespaced_event(
        cluster_api.namespace, field_selector="involvedObject.kind=Pod"
    )
    assert [event.metadata.name for event in listed.items] == ["e1"]
    for selector in ("involvedObject.name=p", "reason=R", "type=Normal", "source=test"):
        assert (await cluster_api.get("events", fieldSelector=selector)).names == ["e1", "e2"]


async def test_pages(cluster_api: Api) -> None:
    for name in ("pa", "pb", "pc"):
        await cluster_api.created("pods", pod(name))
    first = await cluster_api.get("pods", limit="1")
    assert first.names == ["pa"]
    assert first.body["metadata"]["remainingItemCount"] == 2
    more = {"limit": "1", "continue": first.body["metadata"]["continue"]}
    # What is added meanwhile does not shift the pages.
    await cluster_api.created("pods", pod("a"))
    second = await cluster_api.get("pods", **more)
    assert second.names == ["pb"]
    more["continue"] = second.body["metadata"]["continue"]
    third = await cluster_api.get("pods", **more)
    assert third.names == ["pc"]
    assert not third.body["metadata"].get("continue")


async def test_bad_page(cluster_api: Api) -> None:
    answer = await cluster_api.get("pods", limit="1", **{"continue": "nonsense"})
    assert (answer.status, answer.reason) == (400, "BadRequest")


async def test_table(cluster_api: Api) -> None:
    await cluster_api.created("pods", pod("a"))
    answer = await cluster_api.request("GET", cluster_api.path("pods"), headers={"Accept": TABLE})
    assert answer.body["kind"] == "Table"
    columns = [column["name"] for column in answer.body["columnDefinitions"]]
    assert columns[:5] == ["Name", "Ready", "Status", "Restarts", "Age"]
    [row] = answer.body["rows"]
    assert [str(cell) for cell in row["cells"][:4]] == ["a", "0/1", "Pending", "0"]
    assert row["object"]["metadata"]["name"] == "a"


async def test_table_of_one(cluster_api: Api) -> None:
    await cluster_api.created("configmaps", {"metadata": {"name": "a"}, "data": {"b": "c"}})
    path = cluster_api.path("configmaps", "a")
    answer = await cluster_api.request("GET", path, headers={"Accept": TABLE})
    assert answer.body["kind"] == "Table"
    assert [str(cell) for cell in answer.body["rows"][0]["cells"][:2]] == ["a", "1"]
