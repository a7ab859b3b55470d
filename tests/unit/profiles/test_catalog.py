"""What one person may start, and what of it is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.profiles.access import Decision, Person
from jhext.profiles.catalog import Catalog, Permitted, PermittedOption

ANN = Person("ann", frozenset({"lab"}), claims={"role": "staff"})
BOB = Person("bob")
ROOT = Person("root", admin=True)


def profile(name: str = "P", /, **keys: Any) -> dict[str, Any]:
    return {"display_name": name, "allow_all": True, **keys}


def option(*, optional: bool = False, unlisted: Any = None, **choices: Any) -> dict[str, Any]:
    """Give an option with these choices; each is what it says besides its name."""
    return {
        "display_name": "Option",
        "optional": optional,
        "choices": {key: {"display_name": key, **rules} for key, rules in choices.items()},
        "unlisted_choice": {"enabled": unlisted is not None, **(unlisted or {})},
    }


def shape(options: Sequence[PermittedOption]) -> dict[str, Any]:
    """Tell of each option the choices that are open, and whether free text is."""
    return {
        item.name: (
            {choice.name: shape(choice.options) for choice in item.choices}
            | ({"*": {}} if item.unlisted else {})
        )
        for item in options
    }


def open_to(catalog: Catalog, person: Person) -> dict[str, Any]:
    return {item.profile.slug: shape(item.options) for item in catalog.permitted(person)}


LAB = {"allowed_groups": ["lab"]}
NOBODY: dict[str, Any] = {"allowed_users": []}
NESTED = {"profile_options": {"inner": option(x=LAB, y={})}}

# Each: the options of one profile, and what of them is open to ann, who is in the group lab, and
# to bob, who is in none; None where the profile is hidden.
OPTIONS: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "choice without rule is open": ({"o": option(a={})}, {"o": {"a": {}}}, {"o": {"a": {}}}),
    "choice for a group": (
        {"o": option(a=LAB, b={})},
        {"o": {"a": {}, "b": {}}},
        {"o": {"b": {}}},
    ),
    "choice blocked for a group": (
        {"o": option(a={"blocked_groups": ["lab"]}, b={})},
        {"o": {"b": {}}},
        {"o": {"a": {}, "b": {}}},
    ),
    "d09 no choice left hides the profile": ({"o": option(a=LAB)}, {"o": {"a": {}}}, None),
    "d09 no choice left drops an optional option": (
        {"o": option(a=LAB, optional=True), "p": option(a={})},
        {"o": {"a": {}}, "p": {"a": {}}},
        {"p": {"a": {}}},
    ),
    "d09 free text left is enough": (
        {"o": option(a=LAB, unlisted={})},
        {"o": {"a": {}, "*": {}}},
        {"o": {"*": {}}},
    ),
    "free text for a group": (
        {"o": option(a={}, unlisted=LAB)},
        {"o": {"a": {}, "*": {}}},
        {"o": {"a": {}}},
    ),
    "d09 free text alone for a group": ({"o": option(unlisted=LAB)}, {"o": {"*": {}}}, None),
    "nested choice for a group": (
        {"o": option(a=NESTED)},
        {"o": {"a": {"inner": {"x": {}, "y": {}}}}},
        {"o": {"a": {"inner": {"y": {}}}}},
    ),
    "d09 no nested choice left takes away the choice": (
        {"o": option(a={"profile_options": {"inner": option(x=LAB)}}, b={})},
        {"o": {"a": {"inner": {"x": {}}}, "b": {}}},
        {"o": {"b": {}}},
    ),
    "d09 no nested choice left hides the profile": (
        {"o": option(a={"profile_options": {"inner": option(x=LAB)}})},
        {"o": {"a": {"inner": {"x": {}}}}},
        None,
    ),
    "d09 nested optional option is dropped": (
        {"o": option(a={"profile_options": {"inner": option(x=LAB, optional=True)}})},
        {"o": {"a": {"inner": {"x": {}}}}},
        {"o": {"a": {}}},
    ),
    "expression in a choice": (
        {"o": option(a={"allow_if": "claims.role == 'staff'"}, b={})},
        {"o": {"a": {}, "b": {}}},
        {"o": {"b": {}}},
    ),
}


@pytest.mark.parametrize(("options", "ann", "bob"), OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("default_access", ["allow", "deny"])
def test_d09_options(
    make_catalog: Any, options: dict[str, Any], ann: Any, bob: Any, default_access: Any
) -> None:
    catalog = make_catalog([profile(profile_options=options)], default_access=default_access)
    assert open_to(catalog, ANN).get("p") == ann
    assert open_to(catalog, BOB).get("p") == bob


@pytest.mark.parametrize("level", ["profile", "choice", "unlisted", "nested"])
@pytest.mark.parametrize(
    "key", ["allowed_users", "allowed_groups", "blocked_users", "blocked_groups"]
)
@pytest.mark.parametrize(
    ("name", "held"), [("lab", "Lab"), ("Lab", "lab"), ("ß", "SS"), ("é", "e\u0301")]
)
def test_d08_case_is_folded_on_no_level(
    make_catalog: Any, level: str, key: str, name: str, held: str
) -> None:
    rule, allows = {key: [name]}, key.startswith("allowed")
    levels = {
        "profile": profile(**rule | {"allow_all": not allows}),
        "choice": profile(profile_options={"o": option(a=rule)}),
        "unlisted": profile(profile_options={"o": option(unlisted=rule)}),
        "nested": profile(
            profile_options={"o": option(a={"profile_options": {"i": option(x=rule)}})}
        ),
    }
    catalog = make_catalog([levels[level]])

    def person(called: str) -> Person:
        if key.endswith("users"):
            return Person(called, frozenset())
        return Person("ann", frozenset({called}))

    assert bool(open_to(catalog, person(name))) == allows
    assert bool(open_to(catalog, person(held))) != allows


@pytest.mark.parametrize(
    ("default_access", "rules", "allowed"),
    [
        ("deny", {}, False),
        ("allow", {}, True),
        ("allow", {"blocked_users": ["ann"]}, False),
        ("allow", {"blocked_users": ["bob"]}, True),
        ("deny", {"blocked_users": ["bob"]}, False),
        ("allow", {"allowed_users": ["bob"]}, False),
        ("allow", {"allowed_users": []}, False),
    ],
)
def test_default_access_is_for_profiles_without_an_allowing_rule(
    make_catalog: Any, default_access: Any, rules: dict[str, Any], allowed: bool
) -> None:
    catalog = make_catalog([{"display_name": "P", **rules}], default_access=default_access)
    assert bool(catalog.permitted(ANN)) == allowed
    assert isinstance(catalog.find("p", ANN), Permitted) == allowed


def test_d05_bypass_of_admins_is_configured_and_named(make_catalog: Any) -> None:
    profiles = [
        profile("Other", allow_all=False, profile_options={"o": option(a=NOBODY)}),
        profile("Blocked", blocked_users=["root"]),
    ]
    without = make_catalog(profiles)
    bypass = make_catalog(profiles, admin_bypass=True)
    assert open_to(without, ROOT) == {}
    assert open_to(bypass, ROOT) == {"other": {"o": {"a": {}}}}
    assert open_to(bypass, ANN) == {"blocked": {}}
    (found,) = bypass.permitted(ROOT)
    assert found.decision.rule == "admin_bypass"


def test_order_is_that_of_the_list(make_catalog: Any) -> None:
    names = ["Z", "A", "M", "B"]
    rules: list[dict[str, Any]] = [{}, {"allow_all": False, **LAB}, {"allowed_users": ["ann"]}, {}]
    catalog = make_catalog([profile(n, **r) for n, r in zip(names, rules, strict=True)])
    assert list(open_to(catalog, ANN)) == ["z", "a", "m", "b"]


def test_find_tells_what_does_not_exist_from_what_is_denied(make_catalog: Any) -> None:
    catalog = make_catalog([{"display_name": "P", **NOBODY}])
    assert catalog.find("gone", ANN) is None
    denied = catalog.find("p", ANN)
    assert isinstance(denied, Decision)
    assert not denied.allowed


def test_hidden_for_want_of_a_choice_is_a_decision_too(make_catalog: Any) -> None:
    catalog = make_catalog([profile(profile_options={"o": option(a=LAB)})])
    decision = catalog.find("p", BOB)
    assert (decision.allowed, decision.rule) == (False, "profile_options")
    assert [(p.slug, d.allowed) for p, d in catalog.decisions(BOB)] == [("p", False)]


def test_d07_rights_are_those_of_the_slug(make_catalog: Any) -> None:
    """What a profile is called in the form changes nothing."""
    for name in ("GPU", "<b>GPU</b>", "Small"):
        catalog = make_catalog(
            [
                {"display_name": name, "slug": "gpu", **LAB},
                {"display_name": "Small", "slug": "small", "allow_all": True},
            ]
        )
        assert list(open_to(catalog, BOB)) == ["small"]
        assert list(open_to(catalog, ANN)) == ["gpu", "small"]
        assert isinstance(catalog.find("gpu", BOB), Decision)
        assert isinstance(catalog.find("gpu", ANN), Permitted)
        assert catalog.find(name, ANN) is None


@pytest.mark.parametrize(
    ("profiles", "needed"),
    [
        ([profile(allow_if="'lab' in groups")], False),
        ([profile(block_if="has(claims.x)")], True),
        ([profile(profile_options={"o": option(a={"allow_if": "claims.x"})})], True),
        ([profile(profile_options={"o": option(a={}, unlisted={"block_if": "claims.x"})})], True),
        (
            [
                profile(
                    profile_options={
                        "o": option(
                            a={"profile_options": {"i": option(x={"allow_if": "claims.x"})}}
                        )
                    }
                )
            ],
            True,
        ),
    ],
)
def test_whether_claims_are_needed(make_catalog: Any, profiles: Any, needed: bool) -> None:
    assert make_catalog(profiles).needs_claims == needed


rules = st.fixed_dictionaries(
    {},
    optional={
        "allow_all": st.booleans(),
        "allowed_users": st.lists(st.sampled_from("ab"), unique=True),
        "allowed_groups": st.lists(st.sampled_from("xy"), unique=True),
        "allow_if": st.sampled_from(["user == 'a'", "'x' in groups", "claims.z"]),
        "blocked_users": st.lists(st.sampled_from("ab"), unique=True),
        "blocked_groups": st.lists(st.sampled_from("xy"), unique=True),
        "block_if": st.sampled_from(["'y' in groups", "claims.z"]),
    },
)
options = st.dictionaries(
    st.sampled_from("op"),
    st.builds(
        lambda choices, unlisted, optional: option(optional=optional, unlisted=unlisted, **choices),
        st.dictionaries(st.sampled_from("cd"), rules, min_size=1),
        st.none() | rules,
        st.booleans(),
    ),
    max_size=2,
)
lists = st.lists(
    rules.flatmap(lambda r: options.map(lambda o: {**r, "profile_options": o} if o else r)),
    max_size=4,
)
people = st.builds(
    Person,
    user=st.sampled_from("abc"),
    groups=st.frozensets(st.sampled_from("xyz")),
    admin=st.booleans(),
    claims=st.sampled_from([{}, {"z": True}, {"z": False}]),
)


@given(
    profiles=lists,
    person=people,
    default_access=st.sampled_from(["allow", "deny"]),
    admin_bypass=st.booleans(),
)
def test_list_of_what_is_permitted_is_what_single_decisions_say(
    make_catalog: Any, profiles: Any, person: Person, default_access: Any, admin_bypass: bool
) -> None:
    """The index by user and group leaves out nobody and lets in nobody."""
    named = [{"display_name": f"P{n}", **written} for n, written in enumerate(profiles)]
    catalog = make_catalog(named, default_access=default_access, admin_bypass=admin_bypass)
    found = [catalog.find(f"p{n}", person) for n in range(len(named))]
    assert list(catalog.permitted(person)) == [x for x in found if isinstance(x, Permitted)]
    decisions = [decision.allowed for _, decision in catalog.decisions(person)]
    assert decisions == [isinstance(x, Permitted) for x in found]
