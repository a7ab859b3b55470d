"""A real API server takes the pods that jhext makes, and keeps what they say of a person."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.kubernetes.dryrun import not_stored

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "pod").glob("*.json"))

# Fields that are younger than the oldest Kubernetes that the tests run on; it drops them.
YOUNGER = {"supplementalGroupsPolicy"}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_d20_golden_pods_are_taken_as_they_are(
    path: Path, dry_run: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    sent = json.loads(path.read_text())
    stored = dry_run(sent)
    assert not_stored(sent["spec"], stored["spec"]) <= YOUNGER
    assert stored["metadata"]["annotations"].items() >= sent["metadata"]["annotations"].items()
