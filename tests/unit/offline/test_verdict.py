"""A verdict says which rule is behind an answer, also where the person is not told."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.offline.verdict import judge
from jhext.offline.view import because
from jhext.profiles.access import Person

PROFILES = """
- slug: small
  display_name: Small
  allow_all: true
- slug: gpu
  display_name: GPU
  allowed_groups: [lab]
  blocked_users: [bob]
  profile_options:
    size:
      display_name: Size
      choices:
        one: {display_name: One}
        two:
          display_name: Two
          allowed_users: [ada]
          profile_options:
            link:
              display_name: Link
              choices:
                slow: {display_name: Slow}
                fast: {display_name: Fast, blocked_users: [ada]}
      unlisted_choice: {enabled: true, allowed_groups: [builders]}
"""


@pytest.mark.parametrize(
    ("user", "options", "expected"),
    [
        ("ada", {}, (True, "small", "allow_all", "everybody is allowed")),
        ("ada", {"profile": "gpu"}, (True, "gpu", "allowed_groups: lab", "group lab is allowed")),
        ("bob", {"profile": "gpu"}, (False, "", "blocked_users: bob", "bob is blocked")),
        ("cy", {"profile": "none"}, (False, "", "", "there is no profile 'none'")),
        (
            "cy",
            {"profile": "gpu", "size": "two"},
            (False, "", "no rule", "no allowing rule is met"),
        ),
        ("cy", {"profile": "gpu", "size": "six"}, (False, "", "", "there is no such choice")),
        (
            "cy",
            {"profile": "gpu", "size--unlisted-choice": "9"},
            (False, "", "no rule", "no allowing rule is met"),
        ),
        (
            "ada",
            {"profile": "gpu", "size": "two", "size--two--link": "fast"},
            (False, "", "blocked_users: ada", "ada is blocked"),
        ),
        (
            "ada",
            {"profile": "gpu", "sizes": "two"},
            (False, "", "", "The options hold something this profile does not have: 'sizes'."),
        ),
    ],
)
def test_rule_and_reason(
    make_catalog: Any, user: str, options: dict[str, str], expected: tuple[Any, ...]
) -> None:
    verdict = judge(make_catalog(PROFILES), Person(user, frozenset({"lab"})), options)
    decision = verdict.decision
    assert (verdict.allowed, verdict.profile, decision.rule, decision.reason) == expected
    assert bool(verdict.told) is not verdict.allowed


def test_nothing_permitted_tells_the_rule_of_the_profile_asked_for(make_catalog: Any) -> None:
    profiles = "[{slug: gpu, display_name: GPU, allowed_users: [ada]}]"
    verdict = judge(make_catalog(profiles), Person("bob"), {"profile": "gpu"})
    assert because(verdict.decision) == "no allowing rule is met"


def test_choices_are_told_as_they_would_be_stored(make_catalog: Any) -> None:
    person = Person("ada", frozenset({"lab", "builders"}))
    verdict = judge(make_catalog(PROFILES), person, {"profile": "gpu", "size": "two"})
    assert verdict.choices == {"size": "two", "size--two--link": "slow"}


def test_keys_of_the_operators_code_are_passed_over(make_catalog: Any) -> None:
    options = {"profile": "small", "project": "x"}
    catalog, person = make_catalog(PROFILES), Person("ada")
    assert not judge(catalog, person, options).allowed
    assert judge(catalog, person, options, frozenset({"project"})).allowed
