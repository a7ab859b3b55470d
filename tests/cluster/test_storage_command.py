"""``jhext storage`` against a real API server: what it lists, changes, and leaves alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from jhext.cli import application
from jhext.profiles.access import Person
from jhext.storage import labels
from jhext.storage.volumes import Owner
from tests.cluster.kubernetes.kubeconfig import Cluster

CONFIG = """
storage:
  claims:
    home: {name: "claim-{username}", size: 20Gi, retention: delete_with_user}
    scratch: {per: server}
    lab: {per: group, groups: [physics]}
"""
LONG_AGO = "2020-01-01T00:00:00+00:00"


@dataclass
class Space:
    """A namespace, and the commands that are run on it."""

    name: str
    api: httpx.Client
    cluster: Cluster

    def path(self, kind: str, name: str = "") -> str:
        return f"/api/v1/namespaces/{self.name}/{kind}/{name}".rstrip("/")

    def claim(self, name: str, user: str = "", server: str = "", **notes: str) -> None:
        """Create a claim: as jhext marks it, or as somebody made it who says nothing."""
        marks = {"annotations": {}, "labels": {}}
        if user:
            owner = Owner(Person(user, server_name=server))
            marks = labels.personal("home", "delete_with_user", owner)
        marks["annotations"].update(notes)
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
        body = {"metadata": {"name": name, **marks}, "spec": {**spec, "storageClassName": "grows"}}
        self.api.post(self.path("persistentvolumeclaims"), json=body).raise_for_status()

    def bind(self, name: str) -> None:
        """Say of a claim what a provisioner would: that there is a volume."""
        path = self.path("persistentvolumeclaims", name)
        claim = self.api.get(path).raise_for_status().json()
        claim["spec"]["volumeName"] = "volume"
        self.api.put(path, json=claim).raise_for_status()
        claim = self.api.get(path).json()
        claim["status"] = {"phase": "Bound", "capacity": {"storage": "5Gi"}}
        self.api.put(f"{path}/status", json=claim).raise_for_status()

    def mount(self, claim: str) -> None:
        """Create a pod with a claim."""
        spec = {
            "containers": [{"name": "notebook", "image": "none"}],
            "volumes": [{"name": "home", "persistentVolumeClaim": {"claimName": claim}}],
        }
        body = {"metadata": {"name": f"pod-of-{claim}"}, "spec": spec}
        self.api.post(self.path("pods"), json=body).raise_for_status()

    def claims(self) -> dict[str, dict[str, Any]]:
        items = self.api.get(self.path("persistentvolumeclaims")).json()["items"]
        # Without its controller, a claim that is deleted waits for ever to be let go.
        return {
            item["metadata"]["name"]: item
            for item in items
            if not item["metadata"].get("deletionTimestamp")
        }

    def versions(self) -> dict[str, str]:
        found = self.claims().items()
        return {name: claim["metadata"]["resourceVersion"] for name, claim in found}

    def run(self, *arguments: str, answer: str = "") -> Result:
        """Run a command; where it asks, nobody answers unless an answer is given."""
        there = ["--namespace", self.name, "--kubeconfig", str(self.cluster.kubeconfig)]
        return CliRunner().invoke(application(), ["storage", *arguments, *there], input=answer)


@pytest.fixture
def space(apiserver: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Space]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jhext.yaml").write_text(CONFIG)
    name = f"storage-{token_hex(4)}"
    with apiserver.client() as api:
        storage_class = {
            "metadata": {"name": "grows"},
            "provisioner": "example.org/none",
            "allowVolumeExpansion": True,
        }
        api.post("/apis/storage.k8s.io/v1/storageclasses", json=storage_class)
        body = {"metadata": {"name": name}}
        api.post("/api/v1/namespaces", json=body).raise_for_status()
        made = Space(name, api, apiserver)
        account = {"metadata": {"name": "default"}}
        api.post(made.path("serviceaccounts"), json=account)
        yield made
        api.delete(f"/api/v1/namespaces/{name}").raise_for_status()


def test_d26_list_tells_whose_claims_are_and_who_mounts_them(space: Space) -> None:
    space.claim("claim-ann", "ann")
    space.claim("claim-anna", "anna")
    space.claim("claim-odd---1", "Ann@Uni.edu", "gpu")
    space.mount("claim-anna")
    found = json.loads(space.run("list", "--output", "json").stdout)
    assert [(row["name"], row["user"], row["server"], row["pods"]) for row in found] == [
        ("claim-odd---1", "Ann@Uni.edu", "gpu", []),
        ("claim-ann", "ann", "", []),
        ("claim-anna", "anna", "", ["pod-of-claim-anna"]),
    ]
    text = space.run("list", "--user", "ann").stdout
    assert "claim-ann " in text
    assert "claim-anna" not in text


def test_orphans_are_of_people_who_left_or_long_not_used(space: Space, tmp_path: Path) -> None:
    space.claim("claim-ann", "ann", **{labels.LAST_USED: LONG_AGO})
    space.claim("claim-bob", "bob")
    space.claim("claim-carl", "carl", **{labels.LAST_USED: LONG_AGO})
    space.mount("claim-carl")
    (tmp_path / "users").write_text("ann\nanna\n")
    left = space.run("orphans", "--users", "users", "--output", "json")
    assert ([row["name"] for row in json.loads(left.stdout)], left.exit_code) == (["claim-bob"], 1)
    unused = space.run("orphans", "--unused-for", "30d", "--output", "json")
    assert [row["name"] for row in json.loads(unused.stdout)] == ["claim-ann"]
    both = space.run("orphans", "--unused-for", "30d", "--users", "users")
    assert both.exit_code == 0
    assert space.run("orphans").exit_code == 2
    (tmp_path / "users").write_text("\n")
    assert space.run("orphans", "--users", "users").exit_code == 2
    assert set(space.claims()) == {"claim-ann", "claim-bob", "claim-carl"}


@pytest.mark.parametrize("answer", ["", "n\n"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["rm", "claim-ann"],
        ["grow", "claim-ann"],
        ["adopt", "old", "--claim", "home", "--user", "ann"],
    ],
)
def test_nothing_is_done_unless_it_is_wanted(
    space: Space, arguments: list[str], answer: str
) -> None:
    space.claim("claim-ann", "ann")
    space.claim("old")
    space.bind("claim-ann")
    before = space.versions()
    assert space.run(*arguments, answer=answer).exit_code == 1
    dry = space.run(*arguments, "--dry-run")
    assert dry.exit_code == 0
    assert arguments[1] in dry.stdout
    assert space.versions() == before
    done = space.run(*arguments, "--yes")
    assert (done.exit_code, done.stderr) == (0, "")
    changed = {name for name, version in before.items() if space.versions().get(name) != version}
    assert changed == {arguments[1]}


def test_rm_deletes_what_is_named_and_nothing_else(space: Space) -> None:
    for name in ("ann", "anna", "bob"):
        space.claim(f"claim-{name}", name)
    assert space.run("rm", "claim-ann", "--yes").exit_code == 0
    assert set(space.claims()) == {"claim-anna", "claim-bob"}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("claim-used", "is mounted by pod-of-claim-used"),
        ("nobodys", "does not say whose it is"),
        ("nowhere", "there is no claim nowhere"),
    ],
)
def test_rm_deletes_all_or_none(space: Space, name: str, problem: str) -> None:
    space.claim("claim-ann", "ann")
    space.claim("claim-used", "bob")
    space.claim("nobodys")
    space.mount("claim-used")
    refused = space.run("rm", "claim-ann", name, "--yes")
    assert refused.exit_code == 1
    assert problem in refused.stderr
    assert set(space.claims()) == {"claim-ann", "claim-used", "nobodys"}


def test_adopted_claim_is_the_persons(space: Space) -> None:
    space.claim("old")
    command = ["adopt", "old", "--claim", "home", "--user", "Ann@Uni.edu"]
    assert space.run(*command, "--yes").exit_code == 0
    claim = space.claims()["old"]
    assert labels.is_owned_by(claim, "Ann@Uni.edu")
    assert labels.ADOPTED in labels.annotations_of(claim)
    assert labels.labels_of(claim)[labels.RETENTION] == "delete_with_user"
    space.claim("other")
    command[1] = "other"
    assert "old: no longer adopted" in space.run(*command, "--yes").stdout
    assert labels.ADOPTED not in labels.annotations_of(space.claims()["old"])
    assert labels.ADOPTED in labels.annotations_of(space.claims()["other"])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["claim-bob", "--claim", "home", "--user", "ann"], "is 'bob''s"),
        (["claim-bob", "--claim", "home", "--user", "ann", "--from", "bo"], "is 'bob''s"),
        (["claim-used", "--claim", "home", "--user", "ann"], "is mounted by"),
        (["claim-ann", "--claim", "nothing", "--user", "ann"], "storage.claims has no 'nothing'"),
        (["claim-ann", "--claim", "home"], "say whose it is to be"),
        (["claim-ann", "--claim", "home", "--user", "ann", "--server", "x"], "is per user"),
        (["claim-ann", "--claim", "lab"], "say --group"),
        (["nowhere", "--claim", "home", "--user", "ann"], "there is no claim nowhere"),
    ],
)
def test_d45_adoption_is_refused(space: Space, arguments: list[str], problem: str) -> None:
    space.claim("claim-ann", "ann")
    space.claim("claim-bob", "bob")
    space.claim("claim-used")
    space.mount("claim-used")
    before = space.versions()
    refused = space.run("adopt", *arguments, "--yes")
    assert refused.exit_code == 1
    assert problem in refused.stderr
    assert space.versions() == before


def test_somebody_may_lose_a_claim_by_name(space: Space) -> None:
    space.claim("claim-bob", "bob")
    command = ["adopt", "claim-bob", "--claim", "home", "--user", "robert", "--from", "bob"]
    assert space.run(*command, "--yes").exit_code == 0
    assert labels.is_owned_by(space.claims()["claim-bob"], "robert")


def sizes(space: Space) -> dict[str, str]:
    found = space.claims().items()
    return {name: claim["spec"]["resources"]["requests"]["storage"] for name, claim in found}


def test_claims_grow_and_never_shrink(space: Space) -> None:
    for name in ("ann", "bob", "carl"):
        space.claim(f"claim-{name}", name)
    space.bind("claim-ann")
    space.bind("claim-bob")
    assert space.run("grow", "claim-ann", "--size", "30Gi", "--yes").exit_code == 0
    shrunk = space.run("grow", "claim-ann", "--yes")
    assert "nothing makes a claim smaller" in shrunk.stderr
    unbound = space.run("grow", "claim-carl", "--yes")
    assert "is not bound" in unbound.stderr
    assert space.run("grow", "--yes").exit_code == 0
    assert sizes(space) == {"claim-ann": "30Gi", "claim-bob": "20Gi", "claim-carl": "5Gi"}
    assert "there is nothing to do" in space.run("grow", "--yes").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["rm", "claim-ann"],
        ["grow", "claim-ann", "--size", "30Gi"],
        ["adopt", "claim-ann", "--claim", "home", "--user", "ann"],
    ],
)
def test_what_changed_meanwhile_is_left_alone(
    space: Space, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else changes the claim while the administrator thinks about the question."""
    space.claim("claim-ann", "ann")
    space.bind("claim-ann")
    changed = {}

    def think(_: str) -> bool:
        path = space.path("persistentvolumeclaims", "claim-ann")
        claim = space.api.get(path).json()
        claim["metadata"]["annotations"]["changed"] = "meanwhile"
        space.api.put(path, json=claim).raise_for_status()
        changed.update(space.versions())
        return True

    monkeypatch.setattr("typer.confirm", think)
    late = space.run(*arguments)
    assert late.exit_code == 1
    assert "changed meanwhile" in late.stderr
    assert space.versions() == changed


def test_what_the_cluster_answers_is_told(space: Space) -> None:
    other = CliRunner().invoke(application(), ["storage", "list", "--kubeconfig", "jhext.yaml"])
    assert other.exit_code == 2
    assert "no cluster is known: " in other.stderr
    space.claim("claim-ann", "ann")
    refused = space.run("grow", "claim-ann", "--size", "much")
    assert refused.exit_code == 2
