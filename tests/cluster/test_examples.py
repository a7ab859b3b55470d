"""A real API server takes the manifests of all examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kubernetes.dryrun import Manifest, dry_runner, not_stored
from tests.cluster.kubernetes.kubeconfig import Cluster
from tests.pod_security import violations

EXAMPLES = Path(__file__).parents[2] / "example_configs"
Send = Callable[[Manifest], Manifest]


def manifests() -> Iterator[Any]:
    """Give what plain Kubernetes knows; what only OpenShift knows is rendered by its own test."""
    for path in sorted(EXAMPLES.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if not isinstance(document, dict) or not {"apiVersion", "kind"} <= document.keys():
                continue
            if ".openshift.io/" not in document["apiVersion"]:
                where = f"{path.relative_to(EXAMPLES)}:{document['kind']}"
                yield pytest.param(document, id=f"{where}:{document['metadata']['name']}")


MANIFESTS = list(manifests())


@pytest.fixture(scope="module")
def send(apiserver: Cluster) -> Iterator[Send]:
    spaces = "/api/v1/namespaces"
    with apiserver.client() as client:
        named = {param.values[0]["metadata"].get("namespace", "default") for param in MANIFESTS}
        missing = [name for name in named if client.get(f"{spaces}/{name}").is_error]
        for name in missing:
            client.post(spaces, json={"metadata": {"name": name}}).raise_for_status()
        yield dry_runner(client)
        for name in missing:
            client.delete(f"{spaces}/{name}").raise_for_status()


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_taken_as_it_is(send: Send, manifest: Manifest) -> None:
    assert not_stored(manifest, send(manifest)) == set()


@pytest.mark.parametrize(
    "manifest", [param for param in MANIFESTS if "template" in param.values[0].get("spec", {})]
)
def test_pods_may_be_in_a_restricted_namespace(manifest: Manifest) -> None:
    template = {**manifest["spec"]["template"], "apiVersion": "v1", "kind": "Pod"}
    assert violations(template) == []
