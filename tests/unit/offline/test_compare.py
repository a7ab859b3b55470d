"""Who gains and who loses what between two versions."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.offline.compare import Change, compare_contents, compare_people, compare_rules
from jhext.offline.terms import terms_of
from jhext.profiles.access import Person

PEOPLE = [
    Person("ada", frozenset({"lab"})),
    Person("bob", frozenset({"lab", "interns"})),
    Person("cy"),
]


def profile(rules: str, slug: str = "gpu", options: str = "") -> str:
    return f"- {{slug: {slug}, display_name: {slug}, {rules}{options}}}\n"


def choices(rules: str) -> str:
    one, two = "one: {display_name: One}", f"two: {{display_name: Two, {rules}}}"
    return f", profile_options: {{size: {{display_name: Size, choices: {{{one}, {two}}}}}}}"


ALL = profile("allow_all: true")
LAB = profile("allowed_groups: [lab]")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (LAB, LAB, {}),
        (LAB, ALL, {"gpu": ({"everybody": "allow_all"}, {})}),
        (ALL, LAB, {"gpu": ({}, {"everybody else": "allow_all"})}),
        (
            LAB,
            profile("allowed_groups: [lab, new], allowed_users: [cy]"),
            {"gpu": ({"user cy": "allowed_users", "group new": "allowed_groups"}, {})},
        ),
        (
            LAB,
            profile("allowed_groups: [lab], blocked_groups: [interns]"),
            {"gpu": ({}, {"group interns": "blocked_groups"})},
        ),
        (
            profile("allow_all: true, blocked_users: [cy]"),
            ALL,
            {"gpu": ({"user cy, if otherwise allowed": "blocked_users lifted"}, {})},
        ),
        (
            profile("allow_if: admin"),
            profile("allow_if: '!admin'"),
            {
                "gpu": (
                    {"whoever meets !admin": "allow_if"},
                    {"whoever meets admin": "allow_if"},
                )
            },
        ),
        (ALL, ALL + profile("allow_all: true", "new"), {"new": ({"everybody": "allow_all"}, {})}),
        (
            LAB + profile("allowed_users: [cy]", "old", choices("allowed_users: [cy]")),
            LAB,
            {"old": ({}, {"user cy": "allowed_users"})},
        ),
        # a choice without a rule is open to whoever has the profile
        (
            profile("allow_all: true", options=choices("allowed_users: [cy]")),
            profile("allow_all: true", options=choices("default: true")),
            {"gpu: size=two": ({"everybody who has gpu": "no rule"}, {})},
        ),
    ],
)
def test_rules(make_catalog: Any, old: str, new: str, expected: dict[str, Any]) -> None:
    found = compare_rules(terms_of(make_catalog(old)), terms_of(make_catalog(new)))
    assert {item.subject: (item.gains, item.loses) for item in found} == expected


def test_default_access_is_a_rule_of_profiles_without_one(make_catalog: Any) -> None:
    profiles = profile("default: true") + profile("allowed_users: [cy]", "cy")
    old, new = make_catalog(profiles), make_catalog(profiles, default_access="allow")
    found = compare_rules(terms_of(old), terms_of(new))
    assert [(item.subject, item.gains) for item in found] == [
        ("gpu", {"everybody": "default_access"})
    ]
    assert compare_contents(old, new) == [Change("hub", "default_access", "deny", "allow")]


def test_people(make_catalog: Any) -> None:
    old = LAB + profile("allow_all: true", "small", choices("allowed_users: [ada]"))
    new = profile("allowed_users: [cy], blocked_groups: [interns]") + profile(
        "allow_all: true", "small", choices("allowed_users: [bob]")
    )
    found = compare_people((person, make_catalog(old), make_catalog(new)) for person in PEOPLE)
    assert {item.subject: (item.gains, item.loses) for item in found} == {
        "ada": (
            {},
            {"gpu": "no allowing rule is met", "small: size=two": "no allowing rule is met"},
        ),
        "bob": (
            {"small: size=two": "allowed_users: bob"},
            {"gpu": "blocked_groups: interns (group interns is blocked)"},
        ),
        "cy": ({"gpu": "allowed_users: cy"}, {}),
    }


def test_who_loses_a_profile_that_is_gone(make_catalog: Any) -> None:
    small = profile("allow_all: true", "small")
    found = compare_people([(PEOPLE[0], make_catalog(LAB + small), make_catalog(small))])
    assert found[0].loses == {"gpu": "is gone"}


def test_contents(make_catalog: Any) -> None:
    old = "- {slug: gpu, display_name: GPU, kubespawner_override: {mem_limit: 8G, cpu_limit: 1}}"
    new = "- {slug: gpu, display_name: Big, kubespawner_override: {mem_limit: 64G, cpu_limit: 1}}"
    assert compare_contents(make_catalog(old), make_catalog(new)) == [
        Change("gpu", "display_name", "GPU", "Big"),
        Change("gpu", "kubespawner_override.mem_limit", "8Gi", "64Gi"),
    ]
