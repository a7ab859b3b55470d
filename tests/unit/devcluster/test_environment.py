"""The environment of a container."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.devcluster.environment import container_environment, expand
from jhext.devcluster.lookup import ReferenceNotFoundError, container_resource, pod_field
from jhext.devcluster.resources import CONFIG_MAPS, SECRETS
from jhext.devcluster.store import Store

CAPACITY = {"cpu": "4", "memory": "8Gi"}
POD = {
    "metadata": {
        "name": "p",
        "namespace": "n",
        "labels": {"b": "2", "a": 'one "1"'},
        "annotations": {"example.test/x": "line 1\nline 2"},
    },
    "spec": {"nodeName": "node", "serviceAccountName": "default"},
    "status": {"podIP": "127.77.0.2"},
}


@pytest.fixture
def store() -> Store:
    store = Store()
    named = {"namespace": "n"}
    store.put(SECRETS, {"metadata": {"name": "s", **named}, "data": {"k": "djE="}})
    store.put(CONFIG_MAPS, {"metadata": {"name": "m", **named}, "data": {"K2": "v2"}})
    return store


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("a$(A)b$(B)c", "a1b2c"),
        ("$(MISSING)", "$(MISSING)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$$", "$"),
        ("$A", "$A"),
        ("$", "$"),
        ("$(A", "$(A"),
        ("$()", "$()"),
        ("100$", "100$"),
    ],
)
def test_expand(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == expected


@given(st.text(alphabet=st.characters(exclude_characters="$")))
def test_text_without_references_stays(text: str) -> None:
    assert expand(text, {"A": "1"}) == text


@given(value=st.text())
def test_values_are_not_expanded_again(value: str) -> None:
    assert expand("$(A)", {"A": value}) == value


def test_only_what_was_defined_before(store: Store) -> None:
    env = [
        {"name": "A", "value": "$(B)"},
        {"name": "B", "value": "b"},
        {"name": "C", "value": "$(B)"},
    ]
    variables = container_environment(store, POD, {"env": env}, CAPACITY)
    assert variables == {"A": "$(B)", "B": "b", "C": "b"}


def test_any_bytes(store: Store) -> None:
    store.put(SECRETS, {"metadata": {"name": "b", "namespace": "n"}, "data": {"k": "/w=="}})
    env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "b", "key": "k"}}}]
    variables = container_environment(store, POD, {"env": env}, CAPACITY)
    assert os.fsencode(variables["A"]) == b"\xff"


def test_env_wins_over_env_from(store: Store) -> None:
    container = {
        "envFrom": [{"configMapRef": {"name": "m"}}, {"secretRef": {"name": "s"}, "prefix": "P_"}],
        "env": [{"name": "K2", "value": "own"}, {"name": "E"}],
    }
    variables = container_environment(store, POD, container, CAPACITY)
    assert variables == {"K2": "own", "P_k": "v1", "E": ""}


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"envFrom": [{"secretRef": {"name": "no"}}]}, 'secret "no" not found'),
        ({"envFrom": [{"configMapRef": {"name": "no"}}]}, 'configmap "no" not found'),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "no", "key": "k"}}}]},
            'secret "no" not found',
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "no"}}}]},
            "couldn't find key no in Secret n/s",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "no"}}}]},
            "couldn't find key no in ConfigMap n/m",
        ),
    ],
)
def test_what_is_missing_is_named(store: Store, container: Any, message: str) -> None:
    with pytest.raises(ReferenceNotFoundError, match=message):
        container_environment(store, POD, container, CAPACITY)
    optional = {key: [_optional(entry) for entry in entries] for key, entries in container.items()}
    assert container_environment(store, POD, optional, CAPACITY) == {}


def _optional(entry: dict[str, Any]) -> dict[str, Any]:
    if "valueFrom" in entry:
        return {**entry, "valueFrom": _optional(entry["valueFrom"])}
    return {kind: {**reference, "optional": True} for kind, reference in entry.items()}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "n"),
        ("spec.nodeName", "node"),
        ("status.podIP", "127.77.0.2"),
        ("metadata.labels['b']", "2"),
        ("metadata.annotations['example.test/x']", "line 1\nline 2"),
        ("metadata.labels['missing']", ""),
        ("metadata.labels", 'a="one \\"1\\""\nb="2"'),
        ("metadata.annotations", 'example.test/x="line 1\\nline 2"'),
    ],
)
def test_fields_of_the_pod(path: str, expected: str) -> None:
    assert pod_field(POD, path) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"resource": "limits.cpu"}, "1"),
        ({"resource": "limits.cpu", "divisor": "1m"}, "250"),
        ({"resource": "limits.memory"}, str(8 * 2**30)),
        ({"resource": "limits.memory", "divisor": "1Gi"}, "8"),
        ({"resource": "requests.memory"}, "0"),
        ({"resource": "limits.cpu", "divisor": "0"}, "1"),
    ],
)
def test_resources_of_the_container(reference: Any, expected: str) -> None:
    container = {"resources": {"limits": {"cpu": "250m"}}}
    assert container_resource(container, reference, CAPACITY) == expected
