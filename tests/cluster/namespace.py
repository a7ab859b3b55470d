"""A namespace for one hub, and the service account that its Role makes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
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

    def delete(self, kind: str, name: str) -> None:
        """Delete an object of the core API."""
        self._send("DELETE", f"/api/v1/namespaces/{self.name}/{kind.lower()}s/{name}")

    def annotate(self, kind: str, name: str, **annotations: str) -> None:
        """Annotate an object of the core API."""
        path = f"/api/v1/namespaces/{self.name}/{kind.lower()}s/{name}"
        headers = {"Content-Type": "application/merge-patch+json"}
        self._send("PATCH", path, {"metadata": {"annotations": annotations}}, headers=headers)

    def find(self, kind: str, **selector: str) -> list[Manifest]:
        """Return the objects of a kind of the core API."""
        path = f"/api/v1/namespaces/{self.name}/{kind.lower()}s"
        found: list[Manifest] = self._send("GET", path, params=selector)["items"]
        return found

    def pods(self, user: str) -> list[Manifest]:
        """Return the pods of a user."""
        return self.find("Pod", labelSelector=f"hub.jupyter.org/username={user}")

    def _send(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        answer = self.client.request(method, path, json=body, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def account(self, cluster: Cluster, folder: Path) -> Cluster:
        """Make the hub's service account and return its way in; it may do nothing yet."""
        self.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}})
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS},
        }
        path = f"/api/v1/namespaces/{self.name}/serviceaccounts/{ACCOUNT}/token"
        token = self._send("POST", path, request)["status"]["token"]
        return reachable_as(cluster.url, cluster.ca_file, token, folder / "kubeconfig")

    def grant(self, role: Manifest, home: str) -> None:
        """Give the hub's service account, whose namespace is `home`, a Role in this one."""
        self.create(role)
        group, _, version = role["apiVersion"].partition("/")
        self.create(
            {
                "apiVersion": f"{group}/{version}",
                "kind": "RoleBinding",
                "metadata": {"name": role["metadata"]["name"]},
                "roleRef": {"apiGroup": group, "kind": "Role", "name": role["metadata"]["name"]},
                "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": home}],
            }
        )


@contextmanager
def namespace(client: httpx.Client) -> Iterator[Namespace]:
    """Make a namespace in which pods can be created, and have it deleted afterwards."""
    name = f"jhext-tests-{token_hex(4)}"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    client.post("/api/v1/namespaces", json=space).raise_for_status()
    end = time.monotonic() + 30
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    while client.get(account).is_error:  # a controller makes it, and without it no pod
        assert time.monotonic() < end, f"{name} has no service account"
        time.sleep(0.05)
    yield Namespace(name, client)
    client.delete(f"/api/v1/namespaces/{name}").raise_for_status()
