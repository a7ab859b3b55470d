"""Lists of profiles are read once, and nobody gets what was made for somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.profiles.catalog import Catalog, Policy
from jhext.profiles.finding import ConfigurationError
from jhext.profiles.freeze import freeze
from jhext.profiles.library import Library, as_list
from jhext.profiles.lint import LintRules

POLICY = Policy()


def profile(name: str = "A", /, **keys: Any) -> dict[str, Any]:
    return {"display_name": name, "allow_all": True, **keys}


class Secret(str):
    """Text that does not show in its repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Reader:
    def __init__(self, rules: LintRules) -> None:
        self.library = Library(capacity=4)
        self.rules = rules
        self.readings = 0

    def read(self, *sources: Any, policy: Policy = POLICY, **keys: Any) -> Catalog:
        catalog, new = self.library.catalog(sources, lambda: self.rules, policy, **keys)
        self.readings += new
        return catalog


@pytest.fixture
def reader(lint_rules: LintRules) -> Reader:
    return Reader(lint_rules)


def test_frozen_list_is_read_once(reader: Reader) -> None:
    profiles = freeze([profile()])
    assert reader.read(profiles) is reader.read(profiles)
    assert reader.readings == 1


def test_equal_lists_are_read_once(reader: Reader) -> None:
    catalogs = {id(reader.read([profile(cmd=("a", "b")), {"x": [1]}])) for _ in range(3)}
    assert len(catalogs) == reader.readings == 1


def test_lists_are_read_again_when_changed_in_place(reader: Reader) -> None:
    profiles = [profile()]
    reader.read(profiles)
    profiles[0]["blocked_users"] = ["ann"]
    profiles.append(profile("B"))
    catalog = reader.read(profiles)
    assert [item.slug for item in catalog.profiles] == ["a", "b"]
    assert catalog.profiles[0].blocked_users == {"ann"}


def test_catalogue_does_not_follow_the_list_it_was_made_from(reader: Reader) -> None:
    override = {"environment": {"A": "1"}}
    catalog = reader.read([profile(kubespawner_override=override)])
    override["environment"]["A"] = "2"
    assert catalog.profiles[0].kubespawner_override == {"environment": {"A": "1"}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(1, True, id="number and boolean"),
        pytest.param(1, 1.0, id="whole and floating"),
        pytest.param("1", 1, id="text and number"),
        pytest.param(None, "None", id="null and its name"),
        pytest.param(Secret("ann's"), Secret("bob's"), id="what repr hides"),
        pytest.param(lambda _: "ann", lambda _: "bob", id="callables"),
        pytest.param({1: "a"}, {"1": "a"}, id="keys"),
        pytest.param(["a"], ["a", "b"], id="lists"),
    ],
)
def test_d14_lists_that_differ_never_share_a_catalogue(
    reader: Reader, one: Any, other: Any
) -> None:
    for value in (one, other, one):
        overrides = {"lifecycle_hooks": {"A": value}}
        catalog = reader.read([profile(kubespawner_override=overrides)])
        found = catalog.profiles[0].kubespawner_override["lifecycle_hooks"]["A"]
        assert found == value
        assert type(found) is type(freeze(value))


def test_d14_identity_of_a_list_that_is_gone_is_not_taken_for_another(reader: Reader) -> None:
    for n in range(20):
        assert reader.read(freeze([profile(f"P{n}")])).profiles[0].slug == f"p{n}"


@given(
    lists=st.lists(
        st.lists(st.sampled_from("abc"), unique=True, max_size=3), min_size=2, max_size=12
    )
)
def test_d14_answers_do_not_depend_on_what_was_asked_before(
    lint_rules: LintRules, lists: list[list[str]]
) -> None:
    reader = Reader(lint_rules)
    for names in lists:
        catalog = reader.read([profile(name) for name in names])
        assert [item.slug for item in catalog.profiles] == names


def test_policy_configuration_and_variant_tell_catalogues_apart(reader: Reader) -> None:
    profiles = freeze([profile()])
    catalogs = [
        reader.read(profiles),
        reader.read(profiles, policy=Policy("allow")),
        reader.read(profiles, configuration=(object(),)),
        reader.read(profiles, variant="x"),
    ]
    assert len(set(map(id, catalogs))) == 4


def test_capacity_is_kept_and_the_least_used_goes(reader: Reader) -> None:
    kept = freeze([profile("kept")])
    for n in range(10):
        reader.read(kept)
        reader.read([profile(f"P{n}")])
    assert reader.readings == 11


def test_sources_are_read_one_after_the_other(reader: Reader) -> None:
    catalog = reader.read([profile("B")], {"z": profile("Z"), "a": profile("A")})
    assert [item.slug for item in catalog.profiles] == ["b", "a", "z"]


@pytest.mark.parametrize("source", [None, 1, "profiles", {1: {}, "b": {}}, object()])
def test_what_is_no_list_is_an_error(reader: Reader, source: Any) -> None:
    with pytest.raises(ConfigurationError):
        reader.read(source)
    with pytest.raises(ConfigurationError):
        as_list(source)


def test_f07_dict_stands_for_its_values_by_sorted_key() -> None:
    assert as_list({"b": 1, "a": 2}) == [2, 1]


def test_version_follows_the_content(reader: Reader) -> None:
    first = reader.read([profile()]).version
    assert first == reader.read([profile()]).version
    assert first != reader.read([profile(blocked_users=["x"])]).version
    assert first
