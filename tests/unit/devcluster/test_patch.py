"""Patches: what they leave, and that they change nothing in place."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.devcluster.errors import ApiError
from jhext.devcluster.patch import (
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    apply_patch,
    merge_patch,
    strategic_merge_patch,
)

KEYS = st.sampled_from(["a", "b", "containers", "env", "ports", "finalizers"])
LEAVES = st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, DOCUMENTS, max_size=4)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


@given(target=OBJECTS, patch=OBJECTS)
def test_merge_patch_is_as_the_rfc_says(target: Any, patch: Any) -> None:
    before = copy.deepcopy(target)
    merged = merge_patch(target, patch)
    assert target == before
    for key in patch.keys() | target.keys():
        if key not in patch:
            assert merged[key] == target[key]
        elif patch[key] is None:
            assert key not in merged
        elif not isinstance(patch[key], dict):
            assert merged[key] == patch[key]
    assert merge_patch(merged, patch) == merged


@given(target=OBJECTS)
def test_merging_into_nothing_leaves_the_patch(target: Any) -> None:
    assert merge_patch({}, target) == without_nulls(target)


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        (
            {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}]},
            {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}]},
            {
                "containers": [
                    {
                        "name": "a",
                        "image": "1",
                        "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}],
                    }
                ]
            },
        ),
        (
            {"containers": [{"name": "a"}]},
            {"containers": [{"name": "b"}]},
            {"containers": [{"name": "a"}, {"name": "b"}]},
        ),
        (
            {"containers": [{"name": "a"}, {"name": "b"}]},
            {"containers": [{"name": "a", "$patch": "delete"}]},
            {"containers": [{"name": "b"}]},
        ),
        (
            {"containers": [{"name": "a"}]},
            {"containers": [{"$patch": "replace"}, {"name": "c"}]},
            {"containers": [{"name": "c"}]},
        ),
        ({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}),
        ({"finalizers": ["a"]}, {"finalizers": ["a", "b"]}, {"finalizers": ["a", "b"]}),
        ({"m": {"a": 1, "b": 2}}, {"m": {"a": None}}, {"m": {"b": 2}}),
        ({"m": {"a": 1}}, {"m": {"b": 2, "$patch": "replace"}}, {"m": {"b": 2}}),
        (
            {"env": [{"name": "X"}]},
            {"env": [{"name": "Y"}], "$setElementOrder/env": [{"name": "Y"}]},
            {"env": [{"name": "X"}, {"name": "Y"}]},
        ),
        (
            {"ports": [{"containerPort": 1, "name": "a"}]},
            {"ports": [{"containerPort": 1, "name": "b"}]},
            {"ports": [{"containerPort": 1, "name": "b"}]},
        ),
        (
            {},
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            {"volumes": [{"name": "v", "emptyDir": {}}]},
        ),
    ],
)
def test_strategic_merge_patch(target: Any, patch: Any, expected: Any) -> None:
    before = copy.deepcopy(target)
    assert strategic_merge_patch(target, patch) == expected
    assert target == before


@given(target=OBJECTS, patch=OBJECTS | DOCUMENTS)
def test_any_patch_is_applied_or_refused(target: Any, patch: Any) -> None:
    before = copy.deepcopy(target)
    for content_type in (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH):
        with suppress(ApiError):
            assert isinstance(apply_patch(target, patch, content_type), dict)
        assert target == before
