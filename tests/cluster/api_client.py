"""A client for both kinds of cluster that the conformance tests compare, and their fixtures."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import aiohttp
import pytest
import yaml
from kubernetes_asyncio import client, config

from tests.cluster.kubernetes.kubeconfig import Cluster, Node

# The kubelet may overlook the remains of a pod until it looks for such, every minute.
TIMEOUT = 100
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Answer:
    """What the server answered: the HTTP status, and the body read as JSON if it is that."""

    status: int
    body: Any

    @property
    def reason(self) -> str:
        """The ``reason`` of a ``Status``."""
        return str(self.body["reason"])

    @property
    def names(self) -> list[str]:
        """The names of a list's items."""
        return [item["metadata"]["name"] for item in self.body["items"]]


class WatchStream:
    """The events of one watch."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def event(self) -> Any:
        """Return the next event; None when the server has closed the watch."""
        async with asyncio.timeout(TIMEOUT):
            line = await self._response.content.readline()
        return json.loads(line) if line else None

    async def next(self) -> tuple[str, str]:
        """Return the type of the next event and the name of its object."""
        event = await self.event()
        return event["type"], event["object"]["metadata"]["name"]

    async def rest(self) -> list[Any]:
        """Return what comes until the server closes the watch."""
        events = []
        while event := await self.event():
            events.append(event)
        return events


class Api:
    """Requests to a cluster, within a namespace of the test's own.

    Attributes
    ----------
    core
        The typed client.
    image
        An image with a shell and Python.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        api_client: client.ApiClient,
        cluster: Cluster,
        namespace: str,
    ) -> None:
        self._session = session
        self.cluster = cluster
        self.namespace = namespace
        self.api_client = api_client
        self.core = client.CoreV1Api(api_client)
        self.image = cluster.image if isinstance(cluster, Node) else "example.test/image:1"

    def path(self, plural: str, name: str = "", subresource: str = "") -> str:
        """Return the URL path of objects of the test's namespace."""
        parts = ("/api/v1/namespaces", self.namespace, plural, name, subresource)
        return "/".join(filter(None, parts))

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Answer:
        """Send a request; a body that is no text goes as JSON."""
        content = body if isinstance(body, str) or body is None else json.dumps(body)
        sent = {"Content-Type": content_type} if body is not None else {}
        async with self._session.request(
            method, path, data=content, params=query, headers={**sent, **(headers or {})}
        ) as response:
            text = await response.text()
            try:
                return Answer(response.status, json.loads(text))
            except ValueError:
                return Answer(response.status, text)

    async def get(self, plural: str, name: str = "", **query: str) -> Answer:
        """Read an object, or the objects of a kind."""
        return await self.request("GET", self.path(plural, name), **query)

    async def create(self, plural: str, body: Any, **query: str) -> Answer:
        """Create an object."""
        return await self.request("POST", self.path(plural), body, **query)

    async def created(self, plural: str, body: Any) -> Any:
        """Create an object, which must succeed, and return it."""
        answer = await self.create(plural, body)
        assert answer.status == 201, answer.body
        return answer.body

    async def put(self, plural: str, body: Any, **query: str) -> Answer:
        """Replace the object that ``body`` names."""
        return await self.request("PUT", self.path(plural, body["metadata"]["name"]), body, **query)

    async def patch(
        self,
        plural: str,
        name: str,
        body: Any,
        content_type: str = MERGE,
        *,
        subresource: str = "",
        **query: str,
    ) -> Answer:
        """Patch an object."""
        path = self.path(plural, name, subresource)
        return await self.request("PATCH", path, body, content_type=content_type, **query)

    async def delete(self, plural: str, name: str = "", body: Any = None, **query: str) -> Answer:
        """Delete an object, or the objects of a kind."""
        return await self.request("DELETE", self.path(plural, name), body, **query)

    async def revision(self, plural: str) -> str:
        """Return the present resourceVersion of a kind's list."""
        answer = await self.get(plural)
        return str(answer.body["metadata"]["resourceVersion"])

    @asynccontextmanager
    async def watch(self, path: str, **query: str) -> AsyncIterator[WatchStream]:
        """Watch what a path names."""
        async with self._session.get(path, params={"watch": "true", **query}) as response:
            assert response.status == 200, await response.text()
            try:
                yield WatchStream(response)
            finally:
                # TLS would wait for the server's farewell, longer than a test and its loop last.
                if response.connection is not None and response.connection.transport is not None:
                    response.connection.transport.abort()

    async def until(self, plural: str, name: str, condition: Callable[[Any], object]) -> Any:
        """Wait until an object meets a condition, and return it."""
        query = {"fieldSelector": f"metadata.name={name}"}
        async with self.watch(self.path(plural), **query) as stream:
            while event := await stream.event():
                if condition(event["object"]):
                    return event["object"]
        raise AssertionError(f"the watch of {plural} {name} has ended")

    async def until_event(self, pod_name: str, reason: str) -> Any:
        """Wait for an event about a pod, and return it."""
        query = {"fieldSelector": f"involvedObject.name={pod_name},reason={reason}"}
        async with self.watch(self.path("events"), **query) as stream:
            event = await stream.event()
            return event["object"]

    async def log(self, pod_name: str, **query: str) -> str:
        """Return the log of a pod."""
        answer = await self.request("GET", self.path("pods", pod_name, "log"), **query)
        assert answer.status == 200, answer.body
        return str(answer.body)

    async def until_gone(self, path: str, name: str) -> Any:
        """Wait until an object does not exist, and return its last state if it was there.

        ``path`` is that of the objects of its kind.
        """
        answer = await self.request("GET", path)
        if name not in answer.names:
            return None
        query = {
            "fieldSelector": f"metadata.name={name}",
            "resourceVersion": answer.body["metadata"]["resourceVersion"],
        }
        async with self.watch(path, **query) as stream:
            while event := await stream.event():
                if event["type"] == "DELETED":
                    return event["object"]
        raise AssertionError(f"{path}: {name} never went away")


def pod(name: str, **spec: Any) -> dict[str, Any]:
    """Return a pod that no scheduler takes, so that it stays as it was created."""
    container = {
        "name": "c",
        "image": "example.test/image:1",
        "command": ["sleep", "1"],
        "env": [{"name": "A", "value": "1"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "x"}},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [container],
            "schedulerName": "nobody",
            **spec,
        },
    }


def claim(name: str) -> dict[str, Any]:
    """Return a claim."""
    resources = {"requests": {"storage": "1Gi"}}
    return {
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources},
    }


@asynccontextmanager
async def connected(cluster: Cluster) -> AsyncIterator[Api]:
    """Connect to a cluster, with a new namespace for the time being."""
    namespace = f"conformance-{token_hex(4)}"
    async with (
        aiohttp.ClientSession(
            cluster.url,
            headers={"Authorization": f"Bearer {cluster.token}"},
            connector=aiohttp.TCPConnector(
                ssl=ssl.create_default_context(cafile=str(cluster.ca_file))
            ),
            timeout=aiohttp.ClientTimeout(total=4 * TIMEOUT),
        ) as session,
        await config.new_client_from_config(str(cluster.kubeconfig)) as api_client,
    ):
        api = Api(session, api_client, cluster, namespace)
        await api.core.create_namespace({"metadata": {"name": namespace}})
        try:
            yield api
        finally:
            await api.core.delete_namespace(namespace)


@pytest.fixture(scope="session")
def devcluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield the way into an embedded cluster, run as its command does."""
    state = tmp_path_factory.mktemp("devcluster")
    # Pods of other users than root pass through it; pytest makes it for its own user only.
    command = [sys.executable, "-m", "jhext.devcluster", "--state", str(state)]
    environment = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        kubeconfig = state / "kubeconfig"
        document = yaml.safe_load(kubeconfig.read_text())
        server = document["clusters"][0]["cluster"]
        yield Cluster(
            server["server"],
            document["users"][0]["user"]["token"],
            Path(server["certificate-authority"]),
            kubeconfig,
        )
        process.terminate()


@pytest.fixture(params=["devcluster", "apiserver"])
def compared(request: pytest.FixtureRequest) -> Cluster:
    """Return each cluster in turn that can store objects."""
    cluster: Cluster = request.getfixturevalue(request.param)
    return cluster


@pytest.fixture(params=["devcluster", "node"])
def complete(request: pytest.FixtureRequest) -> Cluster:
    """Return each cluster in turn that has controllers and runs pods."""
    cluster: Cluster = request.getfixturevalue(request.param)
    return cluster


@pytest.fixture
async def cluster_api(compared: Cluster) -> AsyncIterator[Api]:
    """Yield a client of each cluster in turn that can store objects."""
    async with connected(compared) as api:
        yield api


@pytest.fixture
async def full_api(complete: Cluster) -> AsyncIterator[Api]:
    """Yield a client of each cluster in turn that has controllers and runs pods."""
    async with connected(complete) as api:
        await api.until("serviceaccounts", "default", lambda account: True)
        yield api
