"""A real API server takes whatever the unit tests make: every pod, every claim."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from tests import pod_security
from tests.cluster import recording
from tests.cluster.kubernetes.dryrun import (
    Manifest,
    RefusedManifestError,
    dry_runner,
    not_stored,
)
from tests.cluster.kubernetes.kubeconfig import Cluster

ROOT = Path(__file__).parents[2]
# Where manifests are made.
MAKERS = (
    *("pod", "storage/test_prepare.py"),
    *("test_identified.py", "test_kubespawner_parity.py"),
)

# Fields that are younger than the oldest Kubernetes that the tests run on; it drops them.
YOUNGER = {"supplementalGroupsPolicy"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Run the unit tests, and return what they have made: each manifest once."""
    file = tmp_path_factory.mktemp("made") / "manifests"
    command = [sys.executable, "-m", "pytest", "-q", "-p", recording.__name__]
    tests = [f"tests/unit/{name}" for name in MAKERS]
    env = os.environ | {recording.FILE: str(file), "JHEXT_FUZZ_EXAMPLES": "100"}
    subprocess.run([*command, *tests], cwd=ROOT, env=env, check=True)
    lines = map(json.loads, file.read_text().splitlines())
    return list({json.dumps(line["manifest"]): line for line in lines}.values())


@pytest.fixture(scope="module", params=["restricted", "privileged"])
def space(apiserver: Cluster, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Make a namespace that a level of Pod Security holds for, where there is such a thing."""
    level, name = request.param, f"jhext-manifests-{token_hex(4)}"
    labels = {"pod-security.kubernetes.io/enforce": level}
    with apiserver.client() as client:
        spaces = "/api/v1/namespaces"
        client.post(spaces, json={"metadata": {"name": name, "labels": labels}}).raise_for_status()
        # What manifests name has to be there.
        client.post(f"{spaces}/{name}/serviceaccounts", json={"metadata": {"name": "default"}})
        yield level, name
        client.delete(f"{spaces}/{name}").raise_for_status()


def is_restricted(line: dict[str, Any]) -> bool:
    """Tell whether a pod has no listed container, which may be root."""
    spec = line["manifest"]["spec"]
    return bool(line["hardened"] and spec["securityContext"].get("runAsNonRoot"))


def test_d20_pods_of_people_pass_the_published_standard(made: list[dict[str, Any]]) -> None:
    """Pod Security, level "restricted"."""
    pods = [line for line in made if is_restricted(line)]
    assert len(pods) > 10
    assert {line["test"]: found for line in pods if (found := violations_of(line))} == {}


def violations_of(line: dict[str, Any]) -> list[str]:
    return pod_security.violations(line["manifest"])


def test_whatever_is_made_is_taken(
    made: list[dict[str, Any]], space: tuple[str, str], apiserver: Cluster
) -> None:
    level, name = space
    lines = [line for line in made if is_restricted(line) == (level == "restricted")]
    assert len(lines) > 10
    refused: dict[str, str] = {}
    lost: set[str] = set()
    with apiserver.client() as client:
        dry_run = dry_runner(client)
        for line in lines:
            sent: Manifest = line["manifest"]
            sent["metadata"]["namespace"] = name
            try:
                lost |= not_stored(sent["spec"], dry_run(sent)["spec"])
            except RefusedManifestError as refusal:
                refused[line["test"]] = str(refusal)
    assert refused == {}
    assert lost <= YOUNGER
