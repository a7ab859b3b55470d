"""Profiles that begin with another one, and keys that are short for overrides."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubespawner.utils import recursive_update

from jhext.profiles.catalog import Catalog
from jhext.profiles.extends import resolve
from jhext.profiles.written import as_written

from .conftest import Check

BASE = {
    "slug": "base",
    "abstract": True,
    "description": "Inherited",
    "default": True,
    "kubespawner_override": {
        "cpu_limit": 1,
        "environment": {"A": "1", "B": "1"},
        "volumes": [{"name": "base"}],
    },
    "profile_options": {
        "size": {"display_name": "Size", "choices": {"s": {"display_name": "S"}}},
        "image": {"display_name": "Image", "choices": {"i": {"display_name": "I"}}},
    },
    "allowed_groups": ["staff"],
    "blocked_users": ["eve"],
    "block_if": "user == 'mallory'",
    "x-mark": {"a": 1},
}


def resolved(*profiles: Any) -> list[dict[str, Any]]:
    """Give the profiles that can be started, of which nothing may be wrong."""
    result, found = resolve(as_written(profiles))
    assert not [item for item in found if item.level == "error"]
    return [copy.deepcopy(item.value) for item in result]


def problems(*profiles: Any) -> list[tuple[str, str, str]]:
    _, found = resolve(as_written(profiles))
    return [(item.level, item.path, f"{item.message}; {item.suggestion}") for item in found]


def child(**keys: Any) -> dict[str, Any]:
    """Give what a profile that extends the base comes to."""
    (value,) = resolved(BASE, {"slug": "child", "display_name": "Child", "extends": "base", **keys})
    return value


def test_what_is_not_said_is_taken_over() -> None:
    unnamed = {key: value for key, value in BASE.items() if key not in ("abstract", "default")}
    assert child() == unnamed | {"slug": "child", "display_name": "Child"}


@pytest.mark.parametrize(
    ("keys", "key", "value"),
    [
        ({"description": "Own"}, "description", "Own"),
        (
            {"kubespawner_override": {"cpu_limit": 0.5, "environment": None, "volumes": None}},
            "kubespawner_override",
            {"cpu_limit": 0.5, "environment": None, "volumes": None},
        ),
        ({"x-mark": {"b": 2}}, "x-mark", {"b": 2}),
        (
            {"kubespawner_override": {"cpu_limit": 2, "environment": {"B": "2", "C": "2"}}},
            "kubespawner_override",
            {
                "cpu_limit": 2,
                "environment": {"A": "1", "B": "2", "C": "2"},
                "volumes": [{"name": "base"}],
            },
        ),
        (
            {"kubespawner_override": {"volumes": [], "environment": {"A": None}}},
            "kubespawner_override",
            {"cpu_limit": 1, "environment": {"A": None, "B": "1"}, "volumes": []},
        ),
    ],
)
def test_d41_what_is_said_comes_over_it_be_it_less_or_more(keys: Any, key: str, value: Any) -> None:
    assert child(**keys)[key] == value


def test_options_one_by_one() -> None:
    own = {"display_name": "Own size"}
    options = child(profile_options={"size": own, "image": None, "new": own})["profile_options"]
    assert options == {"size": own, "new": own}


@pytest.mark.parametrize(
    ("keys", "rules"),
    [
        ({}, {"allowed_groups": ["staff"]}),
        ({"allowed_users": ["ada"]}, {"allowed_users": ["ada"]}),
        ({"allow_if": "admin"}, {"allow_if": "admin"}),
        ({"allowed_groups": []}, {"allowed_groups": []}),
        ({"allow_all": False}, {"allow_all": False}),
    ],
)
def test_rules_that_allow_are_taken_over_as_a_whole_or_not(keys: Any, rules: Any) -> None:
    allowing = {key: value for key, value in child(**keys).items() if key.startswith("allow")}
    assert allowing == rules


def test_rules_that_block_add_up() -> None:
    value = child(blocked_users=["trudy"], blocked_groups=["guests"], block_if="admin")
    assert value["blocked_users"] == ["eve", "trudy"]
    assert value["blocked_groups"] == ["guests"]
    assert value["block_if"] == "(user == 'mallory') || (admin)"


WELL_FORMED = {"blocked_users": ["eve"], "blocked_groups": ["guests"], "block_if": "admin"}


@pytest.mark.parametrize("key", WELL_FORMED)
@pytest.mark.parametrize("other", [5, {"a": 1}, None])
def test_rules_that_block_are_not_lost_beside_malformed_ones(
    check: Check, key: str, other: Any
) -> None:
    for base, own in ((WELL_FORMED[key], other), (other, WELL_FORMED[key])):
        catalog = check(
            [
                {"slug": "base", "abstract": True, key: base},
                A | {"extends": "base", "allow_all": True, key: own},
            ]
        )
        if other is None:
            assert str(catalog.profiles[0].model_dump()[key]) == str(WELL_FORMED[key])
        else:
            assert [item.path for item in catalog.errors] == [key]


def test_a_chain_and_a_profile_that_can_be_started_as_base() -> None:
    first, second = resolved(
        {"slug": "c", "display_name": "C", "extends": "b", "kubespawner_override": {"x": {"c": 1}}},
        {"slug": "b", "display_name": "B", "extends": "a", "kubespawner_override": {"x": {"b": 1}}},
        {"slug": "a", "abstract": True, "kubespawner_override": {"x": {"a": 1}}},
    )
    assert first["kubespawner_override"] == {"x": {"a": 1, "b": 1, "c": 1}}
    assert second["kubespawner_override"] == {"x": {"a": 1, "b": 1}}


A = {"slug": "a", "display_name": "A"}


@pytest.mark.parametrize(
    ("profiles", "path", "message"),
    [
        ([A | {"extends": "b"}], "extends", "no profile has the slug 'b'"),
        ([A | {"extends": "bse"}, BASE], "extends", "did you mean 'base'?"),
        ([A | {"extends": ["base"]}, BASE], "extends", "no profile has the slug ['base']"),
        ([A | {"extends": ""}, {"display_name": "!"}], "extends", "no profile has the slug ''"),
        ([A | {"extends": "a"}], "extends", "cannot extend itself"),
        ([A | {"abstract": "yes"}], "abstract", "must be true or false"),
        ([{"abstract": True}], "", "has no slug"),
        ([A, A | {"abstract": True}], "slug", "'a' is taken"),
        ([A | {"abstract": True}, A], "slug", "'a' is taken"),
        ([A | {"extends": "base"}, BASE | {"node": 1}], "extends", "'base' is faulty"),
    ],
)
def test_errors(profiles: Any, path: str, message: str) -> None:
    assert any(
        (level, where) == ("error", path) and message in text
        for level, where, text in problems(*profiles)
    )


def test_circles() -> None:
    circle = [
        {"slug": slug, "display_name": slug, "extends": base}
        for slug, base in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    assert resolve(as_written(circle))[0] == []
    message = "a profile cannot extend itself, be it by way of others"
    suggestion = "take extends out of one of them"
    assert ("error", "extends", f"{message}; {suggestion}") in problems(*circle)


@pytest.mark.parametrize("step", [1, -1])
def test_a_long_row_of_profiles_in_either_order(step: int) -> None:
    row = [A | {"slug": f"a{n}", "extends": f"a{n + 1}"} for n in range(2000)]
    row.append({"slug": "a2000", "display_name": "A", "blocked_users": ["eve"]})
    resolved, found = resolve(as_written(row[::step]))
    assert not found
    assert all(profile.value["blocked_users"] == ["eve"] for profile in resolved)


def test_unused_base_is_reported() -> None:
    message = "no profile extends it; let one extend it, or take it out"
    assert problems(BASE) == [("warning", "abstract", message)]
    assert problems(BASE, A | {"extends": "base"}) == []


def test_abstract_profiles_cannot_be_started(make_catalog: Check) -> None:
    catalog: Catalog = make_catalog([BASE, A | {"extends": "base"}])
    assert [profile.slug for profile in catalog.profiles] == ["a"]
    assert catalog.find("base", None) is None  # type: ignore[arg-type]


# KubeSpawner fails where a mapping comes over something else, so a key is always the same kind.
LEAVES = st.integers() | st.lists(st.integers(), max_size=2)
MAPPINGS = st.recursive(
    st.dictionaries(st.sampled_from("ab"), LEAVES, max_size=2),
    lambda inner: st.builds(
        lambda leaves, below: {**leaves, **below},
        st.dictionaries(st.sampled_from("ab"), LEAVES, max_size=2),
        st.dictionaries(st.sampled_from("mn"), inner, max_size=2),
    ),
    max_leaves=6,
)
OVERRIDES = st.dictionaries(st.sampled_from("xyz"), MAPPINGS, max_size=3)


@given(OVERRIDES, OVERRIDES)
def test_overrides_merge_as_kubespawner_applies_them(base: Any, own: Any) -> None:
    """D-41: declared, and the same in both."""
    profiles = [
        {"slug": "base", "abstract": True, "kubespawner_override": base},
        A | {"extends": "base", "kubespawner_override": own},
    ]
    (value,) = resolved(*profiles)

    def applied(*overrides: Any) -> dict[str, Any]:
        traits: dict[str, Any] = {name: {} for name in "xyz"}
        for override in copy.deepcopy(overrides):
            for name, item in override.items():
                recursive_update(traits[name], item)
        return traits

    assert applied(value["kubespawner_override"]) == applied(base, own)
