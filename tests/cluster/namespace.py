"""A namespace for one hub, and the service account that its Role makes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.cluster.kubernetes.kubeconfig import Cluster, reachable_as

ROLE = Path(__file__).parents[2] / "docs" / "reference" / "role.yaml"
ACCOUNT = "hub"
TOKEN_SECONDS = 3600
Manifest = dict[str, Any]


def documented_role() -> Manifest:
    """Return the Role that the documentation prints."""
    role: Manifest = yaml.safe_load(ROLE.read_text())
    return role


@dataclass(frozen=True)
class Namespace:
    """A namespace, as an administrator sees it."""

    name: str
    client: httpx.Client

    def create(self, manifest: Manifest) -> None:
        """Create an object; the kinds of the core and the RBAC API are enough here."""
        version, kind = manifest["apiVersion"], manifest["kind"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        self._send("POST", f"{root}/namespaces/{self.name}/{kind.lower()}s", manifest)

    def replace_role(self, role: Manifest) -> None:
        """Change what the hub may do, at once."""
        path = f"/apis/{role['apiVersion']}/namespaces/{self.name}/roles/{role['metadata']['name']}"
        self._send("PUT", path, role)

    def pods(self, user: str) -> list[Manifest]:
        """Return the pods of a user."""
        path = f"/api/v1/namespaces/{self.name}/pods"
        selector = {"labelSelector": f"hub.jupyter.org/username={user}"}
        found: list[Manifest] = self._send("GET", path, params=selector)["items"]
        return found

    def _send(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        answer = self.client.request(method, path, json=body, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def account(self, cluster: Cluster, folder: Path) -> Cluster:
        """Return the way in of the service account that has the documented Role."""
        role = documented_role()
        subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": self.name}
        group = "rbac.authorization.k8s.io"
        reference = {"apiGroup": group, "kind": "Role", "name": role["metadata"]["name"]}
        metadata = {"name": ACCOUNT}
        self.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        self.create(role)
        self.create(
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": reference,
                "subjects": [subject],
            }
        )
        answer = self._send(
            "POST",
            f"/api/v1/namespaces/{self.name}/serviceaccounts/{ACCOUNT}/token",
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": TOKEN_SECONDS},
            },
        )
        token = answer["status"]["token"]
        return reachable_as(cluster.url, cluster.ca_file, token, folder / "kubeconfig")


@contextmanager
def namespace(client: httpx.Client, name: str) -> Iterator[Namespace]:
    """Make a namespace in which pods can be created, and have it deleted afterwards."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    client.post("/api/v1/namespaces", json=space).raise_for_status()
    end = time.monotonic() + 30
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    while client.get(account).is_error:  # a controller makes it, and without it no pod
        assert time.monotonic() < end, f"{name} has no service account"
        time.sleep(0.05)
    yield Namespace(name, client)
    client.delete(f"/api/v1/namespaces/{name}").raise_for_status()
