"""The Role: what the documentation prints, and what each feature adds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from jhext.cluster.features import Features, features_of
from jhext.cluster.rbac import NEEDS, manifests, needs_of
from tests.unit.cluster.conftest import SMALL, Configured

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
CLAIMS = {"storage": {"claims": {"home": {"size": "1Gi"}}}}
# The rules of the chart of Zero to JupyterHub, version 4.
STOCK = {
    resource: {"get", "watch", "list", "create", "delete"}
    for resource in ("pods", "persistentvolumeclaims", "secrets", "services")
} | {"events": {"get", "watch", "list"}}


def verbs(features: Features) -> set[tuple[str, str]]:
    return {(need.resource, need.verb) for need in needs_of(features)}


def added(features: Features) -> set[str]:
    return {" ".join(need) for need in verbs(features) - verbs(Features())}


def test_documented_role_is_that_of_claims() -> None:
    role, _ = manifests(Features(claims=True), "jhub")
    role["metadata"].pop("namespace")  # which is the reader's
    assert yaml.safe_load((REFERENCE / "role.yaml").read_text()) == role


def test_every_verb_is_on_the_page() -> None:
    page = (REFERENCE / "role.md").read_text()
    assert not {need.resource for need in NEEDS if need.resource not in page}
    rows = {need.reason for need in needs_of(Features())}
    assert not {reason for reason in rows if reason not in page}


@pytest.mark.parametrize(
    ("settings", "python", "expected"),
    [
        pytest.param({}, "", set(), id="nothing"),
        pytest.param(
            CLAIMS,
            "",
            {f"persistentvolumeclaims {verb}" for verb in ("create", "delete", "get", "list")},
            id="claims",
        ),
        pytest.param(
            {},
            "c.KubeSpawner.storage_pvc_ensure = True",
            {f"persistentvolumeclaims {verb}" for verb in ("create", "delete", "get", "list")},
            id="KubeSpawner's own claims",
        ),
        pytest.param(
            {"storage": {"claims": {"home": {"size": "1Gi", "grow": "when_larger"}}}},
            "",
            {
                f"persistentvolumeclaims {verb}"
                for verb in ("create", "delete", "get", "list", "patch")
            },
            id="claims that grow",
        ),
        pytest.param(
            {},
            "c.KubeSpawner.services_enabled = True",
            {f"services {verb}" for verb in ("create", "delete", "get")},
            id="services",
        ),
        pytest.param(
            {"profiles": [SMALL | {"kubespawner_override": {"services_enabled": True}}]},
            "",
            {f"services {verb}" for verb in ("create", "delete", "get")},
            id="services of one profile",
        ),
        pytest.param(
            {},
            "c.JupyterHub.internal_ssl = True",
            {
                f"{resource} {verb}"
                for resource in ("services", "secrets")
                for verb in ("create", "delete", "get")
            },
            id="internal_ssl",
        ),
        pytest.param(
            {"identity": {"mode": "platform"}, "pod": {"token": {}}},
            "",
            {f"secrets {verb}" for verb in ("create", "delete", "get", "patch")},
            id="tokens of logins",
        ),
        pytest.param(
            {},
            "c.KubeSpawner.enable_user_namespaces = True",
            {"namespaces create"},
            id="user namespaces",
        ),
    ],
)
def test_what_features_add(
    configured: Configured, settings: dict[str, Any], python: str, expected: set[str]
) -> None:
    features = features_of(configured({"profiles": [SMALL]} | settings, python))
    assert added(features) == expected


def test_without_events_nobody_asks_for_them(configured: Configured) -> None:
    features = features_of(configured(python="c.KubeSpawner.events_enabled = False"))
    assert {resource for resource, _ in verbs(features)} == {"pods"}


@pytest.mark.parametrize(
    ("features", "stock"),
    [
        (Features(claims=True, services=True, internal_ssl=True), True),
        (Features(claims=True, growing_claims=True), False),
        (Features(user_namespaces=True), False),
    ],
)
def test_d33_stock_role_is_enough_by_default(features: Features, stock: bool) -> None:
    """Nothing on the way of an ordinary start patches, replaces or looks at nodes."""
    missing = {
        (resource, verb)
        for resource, verb in verbs(features)
        if verb not in STOCK.get(resource, ())
    }
    assert not missing if stock else missing


def test_namespaces_of_people_need_a_cluster_role() -> None:
    role, binding = manifests(Features(user_namespaces=True), "jhub", "jupyter", "jhub-hub")
    assert (role["kind"], binding["kind"]) == ("ClusterRole", "ClusterRoleBinding")
    assert "namespace" not in role["metadata"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "jupyter", "namespace": "jhub"}
    ]
    assert binding["roleRef"]["name"] == role["metadata"]["name"] == "jhub-hub"
