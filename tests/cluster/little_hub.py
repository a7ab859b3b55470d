"""What a hub does with spawners, without one: start, stop, remove, rename, and forget."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import httpx
import pytest
from jupyterhub import orm
from jupyterhub.objects import Hub
from kubernetes_asyncio.config import kube_config
from kubespawner import KubeSpawner
from kubespawner.clients import _client_cache, load_config
from traitlets.config import Config

from jhext import ProfileKubeSpawner
from tests.cluster.kubernetes.kubeconfig import Cluster
from tests.unit.conftest import Group, User

Object = dict[str, Any]
PATIENCE = 10
"""Seconds for all tries of a request together."""
CLOSING = 0.25
"""Seconds in which aiohttp's connections with TLS end after they were closed, as it documents."""


class _Quick(KubeSpawner):  # type: ignore[misc]
    """A server is ready as soon as its pod is there: the cluster has no node."""

    def is_pod_running(self, pod: Any) -> bool:
        return pod is not None

    def _get_pod_url(self, pod: Any) -> str:
        return "http://127.0.0.1:1"


class Stock(_Quick):
    """KubeSpawner as it is."""


class Ours(_Quick, ProfileKubeSpawner):
    """KubeSpawner with jhext."""

    def is_pod_running(self, pod: Any) -> bool:
        return pod is not None


@dataclass
class LittleHub:
    """People, and what a hub's database knows of their servers.

    Attributes
    ----------
    kind
        The class of its spawners.
    traits
        How they are configured.
    api
        An administrator's client, for looks into the namespace.
    options
        What whoever starts a server asks for.
    """

    kind: type[KubeSpawner]
    traits: Mapping[str, Any]
    namespace: str
    api: httpx.Client
    users: dict[str, User] = field(default_factory=dict)
    running: dict[tuple[str, str], Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def user(self, name: str, groups: tuple[str, ...] = ()) -> User:
        """Return a person, who is in the database from now on."""
        user = self.users.setdefault(name, User(name))
        user.groups = [Group(group) for group in groups] or user.groups
        user.orm_spawners.setdefault("", orm.Spawner(name="", state={}))
        return user

    def spawner(self, name: str, server: str = "", **traits: Any) -> Any:
        """Make a spawner as a hub does after a restart: from the database alone."""
        user = self.user(name)
        row = user.orm_spawners.setdefault(server, orm.Spawner(name=server, state={}))
        config = Config()
        common = {
            "namespace": self.namespace,
            "events_enabled": False,
            "cmd": ["jupyterhub-singleuser"],
            "delete_grace_period": 0,
            "k8s_api_request_timeout": 1,
            "k8s_api_request_retry_timeout": PATIENCE,
        }
        for trait, value in {**common, **self.traits, **traits}.items():
            config[self.kind.__name__][trait] = value
        spawner = self.kind(
            _mock=True,
            config=config,
            user=user,
            hub=Hub(ip="127.0.0.1", port=8081),
            api_token="none",
            orm_spawner=row,
        )
        spawner.user_options = dict(self.options)
        spawner.load_state(row.state or {})
        return spawner

    async def start(self, name: str, server: str = "", **traits: Any) -> Object:
        """Start a server, and return its pod."""
        spawner = self.spawner(name, server, **traits)
        try:
            spawner.clear_state()
            await spawner.start()
        except BaseException:
            with suppress(Exception):
                await spawner.stop(True)
            spawner.clear_state()
            self._save(spawner)
            raise
        self._save(spawner)
        self.running[name, server] = spawner
        return self.get("pods", spawner.pod_name)

    def _save(self, spawner: Any) -> None:
        state = json.loads(json.dumps(spawner.get_state()))
        self.users[spawner.user.name].orm_spawners[spawner.name].state = state

    async def stop(self, name: str, server: str = "") -> None:
        """Stop a server."""
        spawner = self.running.pop((name, server))
        await spawner.stop(True)
        spawner.clear_state()
        self._save(spawner)

    async def remove(self, name: str, server: str) -> None:
        """Delete a server that is stopped, as its owner can."""
        with suppress(Exception):  # which JupyterHub logs
            await self.spawner(name, server).delete_forever()
        del self.users[name].orm_spawners[server]

    async def delete_user(self, name: str) -> None:
        """Delete a person whose servers are stopped."""
        for server in list(self.user(name).orm_spawners):
            await self.remove(name, server)
        del self.users[name]

    async def rename(self, name: str, old: str, new: str) -> None:
        """Rename a server that is stopped, as JupyterHub 6 does."""
        rename = getattr(self.spawner(name, old), "rename", None)
        if rename:
            await rename(old, new)
        rows = self.users[name].orm_spawners
        rows[new] = rows.pop(old)
        rows[new].name = new

    def lose_database(self) -> None:
        """Start anew with an empty database."""
        assert not self.running
        self.users.clear()

    # What is in the cluster

    def path(self, plural: str, name: str = "") -> str:
        """Return the path of an object of the namespace."""
        return f"/api/v1/namespaces/{self.namespace}/{plural}/{name}".rstrip("/")

    def get(self, plural: str, name: str) -> Object:
        """Read an object."""
        found: Object = self.api.get(self.path(plural, name)).raise_for_status().json()
        return found

    def claims(self) -> dict[str, Object]:
        """Return the claims that there are, those left out that are being deleted.

        Nothing runs that would let go of them when no pod mounts them any more.
        """
        items = self.api.get(self.path("persistentvolumeclaims")).raise_for_status().json()["items"]
        return {
            item["metadata"]["name"]: item
            for item in items
            if "deletionTimestamp" not in item["metadata"]
        }

    def let_go(self) -> None:
        """Do what the controller does for claims that are being deleted."""
        path = self.path("persistentvolumeclaims")
        for item in self.api.get(path).raise_for_status().json()["items"]:
            if "deletionTimestamp" in item["metadata"]:
                self.patch(item["metadata"]["name"], {"metadata": {"finalizers": None}})

    def patch(self, name: str, body: Object, subresource: str = "") -> None:
        """Change a claim."""
        path = "/".join(filter(None, (self.path("persistentvolumeclaims", name), subresource)))
        headers = {"Content-Type": "application/merge-patch+json"}
        self.api.patch(path, content=json.dumps(body), headers=headers).raise_for_status()

    def create_claim(self, manifest: Object) -> None:
        """Create a claim."""
        self.api.post(self.path("persistentvolumeclaims"), json=manifest).raise_for_status()

    def delete_claim(self, name: str) -> None:
        """Delete a claim behind the hub's back."""
        self.api.delete(self.path("persistentvolumeclaims", name)).raise_for_status()
        self.let_go()


Make = Callable[..., LittleHub]


@contextmanager
def reached_by_spawners(cluster: Cluster) -> Iterator[None]:
    """Have KubeSpawner use a cluster, as it would with this as its kubeconfig."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        patch.setenv("no_proxy", "127.0.0.1,localhost")
        patch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(cluster.kubeconfig))
        load_config.cache_clear()
        yield
    load_config.cache_clear()


@asynccontextmanager
async def little_hubs(cluster: Cluster) -> AsyncIterator[Make]:
    """Yield what makes little hubs, each in a namespace of its own."""
    with reached_by_spawners(cluster), cluster.client() as api:

        def make(kind: type[KubeSpawner], **traits: Any) -> LittleHub:
            name = f"jhext-tests-{token_hex(4)}"
            space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            api.post("/api/v1/namespaces", json=space).raise_for_status()
            return LittleHub(kind, traits, name, api)

        try:
            yield make
        finally:
            await KubeSpawner._stop_all_reflectors()
            here = asyncio.get_running_loop()
            for client in [one for (loop, *_), one in _client_cache.items() if loop is here]:
                await client.api_client.close()
            await asyncio.sleep(CLOSING)
