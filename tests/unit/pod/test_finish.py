"""Whole pods, as they are sent."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from jhext.pod.finish import expected_of, expected_on_platform, finish
from jhext.pod.settings import PodSettings
from jhext.pod.verify import Configured, Expected
from tests.unit.pod.pods import ANN, CLOUD_METADATA, kubespawner_pod

GOLDEN = Path(__file__).parents[2] / "golden" / "pod"
UPDATE = bool(os.environ.get("JHEXT_UPDATE_GOLDEN"))

PLAIN = PodSettings()
CLASSROOM = PodSettings(
    privileged_containers=frozenset({"block-cloud-metadata"}),
    supplemental_gids=frozenset({6000}),
    supplemental_groups_policy="Strict",
    fs_group="none",
    image_family="docker-stacks",
)

CASES: dict[str, tuple[PodSettings, Expected, dict[str, Any]]] = {
    "plain": (PLAIN, expected_of(ANN, "/home/ann", PLAIN), {}),
    "platform": (PLAIN, expected_on_platform("ann", "/home/jovyan", PLAIN), {}),
    "everything": (
        CLASSROOM,
        expected_of(ANN, "/home/ann", CLASSROOM),
        {"init_containers": [CLOUD_METADATA], "extra_pod_config": {"hostNetwork": True}},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_pod_is_the_one_on_file(name: str) -> None:
    settings, expected, changes = CASES[name]
    manifest = kubespawner_pod(**changes)
    finish(manifest, expected, settings, Configured.of([CLOUD_METADATA]))
    path = GOLDEN / f"{name}.json"
    if UPDATE:
        path.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    assert manifest == json.loads(path.read_text())


@pytest.mark.parametrize("name", CASES)
def test_doing_it_again_changes_nothing(name: str) -> None:
    settings, expected, changes = CASES[name]
    manifest = kubespawner_pod(**changes)
    configured = Configured.of([CLOUD_METADATA])
    finish(manifest, expected, settings, configured)
    once = copy.deepcopy(manifest)
    finish(manifest, expected, settings, configured)
    assert manifest == once
