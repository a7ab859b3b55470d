"""The reference leaves nothing out."""

import re
from enum import StrEnum
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry

import jhext
from jhext import ProfileKubeSpawner
from jhext.culler.metrics import Metrics
from jhext.identity.errors import Reason as IdentityReason
from jhext.pod.finish import PodReason
from jhext.profiles.metrics import reload_metrics
from jhext.profiles.schema import WrittenProfile
from jhext.refusal import Reason
from jhext.settings import Settings
from jhext.storage.errors import StorageReason

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
KUBERNETES_OWN = {"Affinity", "NodeAffinity", "NodeSelector", "PodAffinity"}
WITH_TRAITS = [name for name in jhext.__all__ if name.endswith(("Authenticator", "Spawner"))]


def test_every_model_has_a_table() -> None:
    pages = "".join(page.read_text() for page in REFERENCE.glob("*.md"))
    models = {name for model in (Settings, WrittenProfile) for name in definitions(model)}
    missing = {name for name in models - KUBERNETES_OWN if f":{name}\n" not in pages}
    assert not missing


def definitions(model: type[Settings | WrittenProfile]) -> list[str]:
    return list(model.model_json_schema()["$defs"])


@pytest.mark.parametrize("name", WITH_TRAITS)
def test_traits_of_every_class_are_listed(name: str) -> None:
    """All traits of a class are where its directive is: tests of the built page look at one."""
    pages = "".join(page.read_text() for page in REFERENCE.glob("*.md"))
    assert f"```{{own-traits}} {name}\n" in pages


@pytest.mark.parametrize("reasons", [Reason, IdentityReason, PodReason, StorageReason])
def test_every_reason_of_a_refusal_is_told(reasons: type[StrEnum]) -> None:
    page = (REFERENCE / "metrics.md").read_text()
    assert {reason for reason in reasons if f"| `{reason}` |" not in page} == set()


def test_every_metric_is_told() -> None:
    reload_metrics()
    told = (REFERENCE / "metrics.md").read_text() + (REFERENCE / "culling.md").read_text()
    names = [*metrics_in(REGISTRY), *metrics_in(Metrics().registry)]
    assert len(names) > 10
    assert {name for name in names if f"`{name}`" not in told} == set()


def metrics_in(registry: CollectorRegistry) -> list[str]:
    found = [family for family in registry.collect() if family.name.startswith("jhext_")]
    return [family.name + "_total" * (family.type == "counter") for family in found]


def test_every_label_is_told() -> None:
    code = "".join(path.read_text() for path in (ROOT / "jhext").rglob("*.py"))
    pods = "".join(path.read_text() for path in (ROOT / "tests" / "golden").rglob("*.json"))
    page = (REFERENCE / "labels.md").read_text()
    used = set(re.findall(r"\bjhext\.io/[a-z-]+", code + pods))
    assert {"jhext.io/profile", "jhext.io/passwd", "jhext.io/adopted"} <= used
    assert {name for name in used if f"`{name}" not in page} == set()


def test_threat_model_names_guarantees_that_there_are() -> None:
    page = (ROOT / "docs" / "explanation" / "threat-model.md").read_text()
    given = set(re.findall(r"^\| ([DF]-\d\d) \|", (REFERENCE / "guarantees.md").read_text(), re.M))
    named = set(re.findall(r"\b[DF]-\d\d\b", page))
    assert len(named) > 20
    assert named <= given


def test_every_trait_that_profiles_cannot_override_is_listed() -> None:
    own = ProfileKubeSpawner.class_traits(config=True).items()
    listed = {name for name, trait in own if trait.this_class.__module__.startswith("jhext.")}
    assert set(ProfileKubeSpawner.deciding_traits) <= listed
