"""``jhext doctor`` and a real API server: as the hub itself, and as somebody who looks after it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from typer.testing import CliRunner

from jhext.cli import application
from jhext.cluster.features import Features
from jhext.cluster.rbac import manifests
from tests.cluster.kubernetes.kubeconfig import Cluster, reachable_as
from tests.cluster.namespace import ACCOUNT, Namespace

SETTINGS = {
    "profiles": [{"display_name": "Small", "allow_all": True}],
    "storage": {"claims": {"home": {"storage_class": "jhext-fast", "grow": "when_larger"}}},
}
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


@pytest.fixture
def space(apiserver: Cluster) -> Iterator[Namespace]:
    name = f"jhext-doctor-{token_hex(4)}"
    with apiserver.client() as client:
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        body = {"metadata": {"name": name, "labels": labels}}
        client.post("/api/v1/namespaces", json=body).raise_for_status()
        fast = {"metadata": {"name": "jhext-fast"}, "provisioner": "example.org/none"}
        client.post(CLASSES, json={**fast, "allowVolumeExpansion": False}).raise_for_status()
        yield Namespace(name, client)
        client.delete(f"{CLASSES}/jhext-fast").raise_for_status()
        client.delete(f"/api/v1/namespaces/{name}").raise_for_status()


def told(folder: Path, *options: str, code: int) -> dict[str, list[tuple[str, str]]]:
    """Run the command; return what it says, by check."""
    config = folder / "jhext.yaml"
    config.write_text(json.dumps(SETTINGS))
    ran = CliRunner().invoke(application(), ["doctor", str(config), "--output", "json", *options])
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    assert ran.exit_code == code, ran.output
    lines: dict[str, list[tuple[str, str]]] = {}
    for line in json.loads(ran.stdout):
        assert bool(line["fix"]) == (line["level"] != "ok")
        lines.setdefault(line["check"], []).append((line["level"], line["message"]))
    return lines


def grant(space: Namespace, features: Features, *without: str) -> None:
    role, binding = copy.deepcopy(list(manifests(features, space.name)))
    for rule in role["rules"]:
        rule["verbs"] = [v for v in rule["verbs"] if f"{v} {rule['resources'][0]}" not in without]
    space.create(role)
    space.create(binding)


def test_d33_as_the_hub(space: Namespace, apiserver: Cluster, tmp_path: Path) -> None:
    """What the stock Role does not let the hub see is a warning, a missing verb an error."""
    grant(space, Features(claims=True, growing_claims=True), "watch pods")
    hub = space.account(apiserver, tmp_path)
    options = ("--kubeconfig", str(hub.kubeconfig), "--namespace", space.name)
    lines = told(tmp_path, *options, code=1)
    (missing,) = lines["rights"]
    assert missing[0] == "error"
    assert missing[1].startswith("the hub may not watch pods")
    assert lines["pod security"] == [("warning", "the level of the namespace cannot be read")]
    assert lines["storage classes"] == [("warning", "they cannot be read")]
    assert [level for level, _ in lines["clock"]] == ["ok"]
    assert "cluster" not in lines


def test_d33_as_an_administrator(space: Namespace, apiserver: Cluster, tmp_path: Path) -> None:
    grant(space, Features(claims=True))
    options: list[Any] = ["--kubeconfig", apiserver.kubeconfig, "--namespace", space.name]
    options += ["--service-account", ACCOUNT]
    lines = told(tmp_path, *map(str, options), code=1)
    (missing,) = lines["rights"]
    assert missing == ("error", "the hub may not patch persistentvolumeclaims: claims that grow")
    assert lines["storage classes"] == [("error", "home: volumes of jhext-fast do not grow")]
    assert lines["pod security"][0][0] == "warning"
    grown = {"allowVolumeExpansion": True}
    space.client.patch(
        f"{CLASSES}/jhext-fast",
        content=json.dumps(grown),
        headers={"Content-Type": "application/merge-patch+json"},
    ).raise_for_status()
    grant_more = {"resources": ["persistentvolumeclaims"], "verbs": ["patch"], "apiGroups": [""]}
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{space.name}/roles/hub"
    role = space.client.get(path).json()
    role["rules"].append(grant_more)
    space.client.put(path, json=role).raise_for_status()
    lines = told(tmp_path, *map(str, options), code=0)
    assert [level for level, _ in lines["rights"] + lines["storage classes"]] == ["ok", "ok"]


def test_no_cluster(apiserver: Cluster, tmp_path: Path) -> None:
    nobody = reachable_as("https://127.0.0.1:9", apiserver.ca_file, "x", tmp_path / "kubeconfig")
    lines = told(tmp_path, "--kubeconfig", str(nobody.kubeconfig), code=1)
    assert lines["cluster"][0][0] == "error"
    assert "rights" not in lines
