"""Watching: what comes, from where on, and when it ends."""

import asyncio

import pytest
from kubernetes_asyncio import watch

from tests.cluster.api_client import Api


async def touch(api: Api, name: str, **labels: str) -> None:
    metadata = {"name": name, "labels": labels}
    await api.created("configmaps", {"metadata": metadata})


async def test_from_a_version_only_what_is_new(cluster_api: Api) -> None:
    await touch(cluster_api, "old")
    version = await cluster_api.revision("configmaps")
    path = cluster_api.path("configmaps")
    async with cluster_api.watch(path, resourceVersion=version) as stream:
        await touch(cluster_api, "new")
        await cluster_api.patch("configmaps", "new", {"data": {"a": "b"}})
        await cluster_api.delete("configmaps", "new")
        assert [await stream.next() for _ in range(3)] == [
            ("ADDED", "new"),
            ("MODIFIED", "new"),
            ("DELETED", "new"),
        ]


async def test_catches_up(cluster_api: Api) -> None:
    version = await cluster_api.revision("configmaps")
    await touch(cluster_api, "w")
    await cluster_api.delete("configmaps", "w")
    path = cluster_api.path("configmaps")
    async with cluster_api.watch(path, resourceVersion=version) as stream:
        assert [await stream.next() for _ in range(2)] == [("ADDED", "w"), ("DELETED", "w")]


@pytest.mark.parametrize("version", ["", "0"])
async def test_begins_with_what_is_there(cluster_api: Api, version: str) -> None:
    await touch(cluster_api, "a", watched="yes")
    query = {"labelSelector": "watched=yes"}
    if version:
        query["resourceVersion"] = version
    async with cluster_api.watch(cluster_api.path("configmaps"), **query) as stream:
        assert await stream.next() == ("ADDED", "a")
        await touch(cluster_api, "b", watched="yes")
        assert await stream.next() == ("ADDED", "b")


async def test_deletion_has_a_version_of_its_own(cluster_api: Api) -> None:
    await touch(cluster_api, "a")
    version = await cluster_api.revision("configmaps")
    path = cluster_api.path("configmaps")
    async with cluster_api.watch(path, resourceVersion=version) as stream:
        await cluster_api.delete("configmaps", "a")
        event = await stream.event()
    assert int(event["object"]["metadata"]["resourceVersion"]) > int(version)


async def test_labels_that_change(cluster_api: Api) -> None:
    version = await cluster_api.revision("configmaps")
    query = {"labelSelector": "sel=yes", "resourceVersion": version}
    async with cluster_api.watch(cluster_api.path("configmaps"), **query) as stream:
        await touch(cluster_api, "no", sel="no")
        await touch(cluster_api, "yes", sel="yes")
        await cluster_api.patch("configmaps", "yes", {"metadata": {"labels": {"sel": "no"}}})
        await cluster_api.patch("configmaps", "no", {"metadata": {"labels": {"sel": "yes"}}})
        assert [await stream.next() for _ in range(3)] == [
            ("ADDED", "yes"),
            ("DELETED", "yes"),
            ("ADDED", "no"),
        ]


async def test_of_one_object(cluster_api: Api) -> None:
    version = await cluster_api.revision("configmaps")
    query = {"fieldSelector": "metadata.name=a", "resourceVersion": version}
    async with cluster_api.watch(cluster_api.path("configmaps"), **query) as stream:
        await touch(cluster_api, "b")
        await touch(cluster_api, "a")
        assert await stream.next() == ("ADDED", "a")


async def test_of_all_namespaces(cluster_api: Api) -> None:
    version = await cluster_api.revision("configmaps")
    async with cluster_api.watch("/api/v1/configmaps", resourceVersion=version) as stream:
        await touch(cluster_api, "a")
        while True:
            event = await stream.event()
            if event["object"]["metadata"]["namespace"] == cluster_api.namespace:
                break
    assert event["object"]["metadata"]["name"] == "a"


async def test_ends_when_asked_to(cluster_api: Api) -> None:
    version = await cluster_api.revision("configmaps")
    query = {"timeoutSeconds": "1", "resourceVersion": version}
    async with cluster_api.watch(cluster_api.path("configmaps"), **query) as stream:
        assert await stream.rest() == []


async def test_bookmarks(cluster_api: Api) -> None:
    """A watch that sees nothing still learns how far it has come."""
    version = await cluster_api.revision("configmaps")
    query = {
        "allowWatchBookmarks": "true",
        "labelSelector": "watched=yes",
        "resourceVersion": version,
        "timeoutSeconds": "5",
    }
    async with cluster_api.watch(cluster_api.path("configmaps"), **query) as stream:
        await touch(cluster_api, "not-watched")
        events = await stream.rest()
    assert {event["type"] for event in events} == {"BOOKMARK"}
    last = events[-1]["object"]
    assert last["kind"] == "ConfigMap"
    assert int(last["metadata"]["resourceVersion"]) > int(version)


async def test_too_old(cluster_api: Api) -> None:
    """A watch never misses something in silence: it begins where it should, or not at all."""
    await touch(cluster_api, "first")
    query = {"resourceVersion": "1", "timeoutSeconds": "2"}
    async with cluster_api.watch(cluster_api.path("configmaps"), **query) as stream:
        events = await stream.rest()
    if events[0]["type"] == "ERROR":
        assert len(events) == 1
        assert events[0]["object"]["kind"] == "Status"
        assert events[0]["object"]["code"] == 410
        assert events[0]["object"]["reason"] == "Expired"
    else:  # a server so young that it has its whole history
        assert events[0]["object"]["metadata"]["name"] == "first"


async def test_version_that_is_none(cluster_api: Api) -> None:
    path = cluster_api.path("configmaps")
    answer = await cluster_api.request("GET", path, watch="true", resourceVersion="abc")
    assert answer.status in (400, 500)  # 1.20 takes it for a fault of its own


async def test_kubernetes_asyncio(cluster_api: Api) -> None:
    """The client that KubeSpawner watches with sends ``watch=True``."""
    version = await cluster_api.revision("secrets")
    stream = watch.Watch()

    async def first() -> tuple[str, str]:
        async for event in stream.stream(
            cluster_api.core.list_namespaced_secret,
            namespace=cluster_api.namespace,
            field_selector="metadata.name=sw",
            resource_version=version,
            timeout_seconds=20,
        ):
            return event["type"], event["object"].metadata.name
        raise AssertionError("the watch has ended")

    seen = asyncio.create_task(first())
    await cluster_api.created("secrets", {"metadata": {"name": "sw"}})
    assert await seen == ("ADDED", "sw")
    await stream.close()
