"""What ``jhext rbac``, ``netpol`` and ``prepull`` print, held to a real API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from jhext.cli import application
from jhext.cluster.features import Features
from jhext.cluster.rbac import NEEDS, needs_of
from jhext.offline.configuration import read_configuration
from jhext.offline.simulate import pod
from jhext.profiles.access import Person
from tests.cluster.kubernetes.dryrun import Manifest, dry_runner, not_stored
from tests.cluster.kubernetes.kubeconfig import Cluster

CONFIG = Path(__file__).parents[1] / "golden" / "cli" / "manifests" / "jhext.yaml"
ADA = Person("ada", frozenset({"lab:gpu"}))
BESIDE = {
    "hub": {"app": "jupyterhub", "component": "hub"},
    "proxy": {"app": "jupyterhub", "component": "proxy"},
    "database": {"app": "postgresql"},
}


@pytest.fixture
def space(apiserver: Cluster) -> Iterator[tuple[httpx.Client, str]]:
    name = f"jhext-hub-{token_hex(4)}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    with apiserver.client() as client:
        spaces = "/api/v1/namespaces"
        client.post(spaces, json={"metadata": {"name": name, "labels": labels}}).raise_for_status()
        client.post(f"{spaces}/{name}/serviceaccounts", json={"metadata": {"name": "default"}})
        yield client, name
        client.delete(f"{spaces}/{name}").raise_for_status()


def printed(*arguments: str) -> list[Manifest]:
    ran = CliRunner().invoke(application(), [*arguments])
    assert ran.exit_code == 0, ran.output
    return list(yaml.safe_load_all(ran.stdout))


@pytest.mark.parametrize("command", ["rbac", "netpol", "prepull"])
@pytest.mark.parametrize("file", ["jhext.yaml", "jupyterhub_config.py"])
def test_taken_as_they_are(
    space: tuple[httpx.Client, str], monkeypatch: pytest.MonkeyPatch, command: str, file: str
) -> None:
    client, name = space
    monkeypatch.chdir(CONFIG.parent)
    dry_run = dry_runner(client)
    for manifest in printed(command, file, "--namespace", name):
        assert not_stored(manifest, dry_run(manifest)) == set()


def test_d44_pods_that_pull_are_taken_in_a_restricted_namespace(
    space: tuple[httpx.Client, str],
) -> None:
    client, name = space
    for manifest in printed("prepull", str(CONFIG)):
        template = manifest["spec"]["template"]
        metadata = {**template["metadata"], "name": "prepull", "namespace": name}
        dry_runner(client)({**template, "apiVersion": "v1", "kind": "Pod", "metadata": metadata})


def test_policy_selects_every_server_and_nothing_else(
    space: tuple[httpx.Client, str], tmp_path: Path
) -> None:
    client, name = space
    profiles = tmp_path / "jhext.yaml"
    profiles.write_text(
        yaml.safe_dump({"profiles": yaml.safe_load(CONFIG.read_text())["profiles"]})
    )
    pods = f"/api/v1/namespaces/{name}/pods"
    asked: list[dict[str, Any]] = [{"profile": "small"}, {"profile": "gpu", "image": "jax"}]
    servers: set[str] = set()
    for options in asked:
        made = pod(read_configuration(profiles), ADA, options, None)
        assert isinstance(made, dict), made
        servers.add(options["profile"])
        create(client, pods, options["profile"], made["metadata"]["labels"])
    for other, labels in BESIDE.items():
        create(client, pods, other, labels)
    for number, manifest in enumerate(printed("prepull", str(CONFIG))):
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        create(client, pods, f"prepull-{number}", labels)

    (policy,) = printed("netpol", str(CONFIG))
    assert selected(client, pods, policy["spec"]["podSelector"]) == servers
    (ingress,) = policy["spec"]["ingress"]
    peers = [selected(client, pods, peer["podSelector"]) for peer in ingress["from"]]
    assert peers == [{"hub"}, {"proxy"}]
    to_hub, *_ = policy["spec"]["egress"]
    assert [selected(client, pods, peer["podSelector"]) for peer in to_hub["to"]] == [{"hub"}]


def create(client: httpx.Client, pods: str, name: str, labels: dict[str, str]) -> None:
    """Create a pod that no node will run, with these labels."""
    security = {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "none", "image": "none", "securityContext": security}
    spec = {"containers": [container], "nodeSelector": {"jhext.io/no": "node"}}
    body = {"metadata": {"name": name, "labels": labels}, "spec": spec}
    answer = client.post(pods, json=body)
    assert answer.is_success, answer.text


def selected(client: httpx.Client, pods: str, selector: Manifest) -> set[str]:
    """Ask the API server which pods a selector means."""
    terms = [f"{key}={value}" for key, value in selector.get("matchLabels", {}).items()]
    terms += [
        f"{term['key']} {term['operator'].lower()} ({','.join(term['values'])})"
        for term in selector.get("matchExpressions", ())
    ]
    found = client.get(pods, params={"labelSelector": ",".join(terms)}).raise_for_status().json()
    return {item["metadata"]["name"] for item in found["items"]}


def test_d33_role_allows_what_it_is_for_and_no_more(space: tuple[httpx.Client, str]) -> None:
    """The API server's own answer about the service account, verb by verb."""
    client, name = space
    for manifest in printed("rbac", str(CONFIG), "--namespace", name):
        version, kind = manifest["apiVersion"], manifest["kind"].lower()
        path = f"/apis/{version}/namespaces/{name}/{kind}s"
        client.post(path, json=manifest).raise_for_status()
    needed = {(need.resource, need.verb) for need in needs_of(Features(claims=True))}
    allowed = {
        (need.resource, need.verb)
        for need in NEEDS
        if may(client, f"system:serviceaccount:{name}:hub", name, need.resource, need.verb)
    }
    assert allowed == needed


def may(client: httpx.Client, user: str, namespace: str, resource: str, verb: str) -> bool:
    attributes = {"namespace": namespace, "resource": resource, "verb": verb}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    answer = client.post(path, json=review).raise_for_status().json()
    return bool(answer["status"]["allowed"])
