"""The API's operations: whatever they are given, they do it or refuse it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.devcluster.errors import ApiError
from jhext.devcluster.patch import MERGE_PATCH, STRATEGIC_PATCH
from jhext.devcluster.registry import DeleteOptions, Registry
from jhext.devcluster.resources import (
    CLAIMS,
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    PODS,
    RESOURCES,
    SECRETS,
    SERVICES,
)
from jhext.devcluster.store import Store
from jhext.devcluster.table import table

KEYS = [
    *("metadata", "spec", "status", "data", "stringData", "name", "labels", "annotations"),
    *("containers", "initContainers", "volumes", "volumeMounts", "ports", "env", "image"),
    *("resources", "limits", "requests", "cpu", "port", "finalizers", "ownerReferences", "uid"),
    *("resourceVersion", "type", "involvedObject", "nodeName", "phase", "conditions"),
]
LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from(["a", "", "1", "A b"])
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)
FRAGMENTS = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries(
            {}, optional={"name": LEAVES, "labels": DOCUMENTS, "finalizers": DOCUMENTS}
        ),
        "spec": DOCUMENTS,
        "status": DOCUMENTS,
        "data": DOCUMENTS,
        "stringData": DOCUMENTS,
        "involvedObject": DOCUMENTS,
    },
)
KINDS = st.sampled_from([PODS, CLAIMS, SERVICES, SECRETS, CONFIG_MAPS, EVENTS, NAMESPACES])
POD = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
VALID = {
    PODS: POD,
    SERVICES: {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}},
    EVENTS: {"metadata": {"name": "a"}, "involvedObject": {"kind": "Pod", "name": "p"}},
}


def new_registry() -> Registry:
    registry = Registry(Store())
    registry.create(NAMESPACES, "", {"metadata": {"name": "n"}})
    return registry


@given(resource=KINDS, body=FRAGMENTS)
def test_create_anything(resource: Any, body: Any) -> None:
    registry = new_registry()
    with suppress(ApiError):
        created = registry.create(resource, "n", body)
        json.dumps(table(resource, [created], {}))
        registry.delete(resource, "n", created["metadata"]["name"], DeleteOptions())


@given(resource=KINDS, body=FRAGMENTS, kind=st.sampled_from([MERGE_PATCH, STRATEGIC_PATCH]))
def test_write_anything(resource: Any, body: Any, kind: str) -> None:
    registry = new_registry()
    registry.create(resource, "n", VALID.get(resource, {"metadata": {"name": "a"}}))
    subresources = ("", "status") if "status" in resource.subresources else ("",)
    for subresource in subresources:
        with suppress(ApiError):
            registry.replace(resource, "n", "a", body, subresource=subresource)
        with suppress(ApiError):
            registry.patch(resource, "n", "a", body, kind, subresource=subresource)
    assert registry.store.find(resource, "n", "a")
    json.dumps(table(resource, registry.store.items(resource), {}))


def test_lists_have_no_empty_items() -> None:
    body = {"metadata": {"name": "a"}, "spec": {"containers": [None]}}
    with pytest.raises(ApiError) as refused:
        new_registry().create(PODS, "n", body)
    assert refused.value.code == 400


def test_nulls_say_nothing() -> None:
    body = {"metadata": {"name": "a", "labels": None}, "data": {"k": None}, "type": None}
    created = new_registry().create(SECRETS, "n", body)
    assert (created["data"], created["type"]) == ({}, "Opaque")
    assert "labels" not in created["metadata"]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.plural)
def test_every_kind_has_its_model(resource: Any) -> None:
    """A kind that the client library does not know would not be checked at all."""
    with pytest.raises(ApiError):
        new_registry().create(resource, "n", {"metadata": "x"})


def test_dry_runs_leave_nothing() -> None:
    registry = new_registry()
    registry.create(PODS, "n", POD)
    revision = registry.store.revision
    registry.create(CONFIG_MAPS, "n", {"metadata": {"name": "c"}}, dry_run=True)
    registry.patch(PODS, "n", "a", {"metadata": {"labels": {"x": "y"}}}, MERGE_PATCH, dry_run=True)
    registry.delete(PODS, "n", "a", DeleteOptions(), dry_run=True)
    assert registry.store.revision == revision
