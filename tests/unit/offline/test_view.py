"""What a view tells is what the catalogue decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jhext.offline.view import FREE_TEXT, decided, item_name, view
from jhext.profiles.access import Person
from jhext.profiles.catalog import PermittedOption

USERS, GROUPS = ["ada", "bob"], ["g", "h"]
RULES = st.fixed_dictionaries(
    {},
    optional={
        "allow_all": st.booleans(),
        "allowed_users": st.lists(st.sampled_from(USERS), max_size=2),
        "allowed_groups": st.lists(st.sampled_from(GROUPS), max_size=2),
        "blocked_users": st.lists(st.sampled_from(USERS), max_size=1),
        "allow_if": st.sampled_from(["admin", "'g' in groups", "claims.x == 1"]),
        "block_if": st.sampled_from(["admin", "'h' in groups", "claims.x == 1"]),
    },
)


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {k: v for part in found for k, v in part.items()})


def named(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.just({"display_name": name})


def options(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    below = st.just({}) if not depth else with_options(depth - 1)
    choices = st.dictionaries(
        st.sampled_from("xy"), merged(named("Choice"), RULES, below), min_size=1
    )
    unlisted = merged(st.just({"enabled": True}), RULES)
    option = st.fixed_dictionaries(
        {"display_name": st.just("Option"), "choices": choices, "optional": st.booleans()},
        optional={"unlisted_choice": unlisted},
    )
    return st.dictionaries(st.sampled_from("ab"), option, min_size=1, max_size=2)


def with_options(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Make the part of a profile or choice that has options, or none of it."""
    return st.fixed_dictionaries({}, optional={"profile_options": options(depth)})


PROFILES = st.lists(
    merged(named("P"), RULES, with_options(1)),
    min_size=1,
    max_size=3,
).map(lambda found: [{"slug": f"p{n}", **profile} for n, profile in enumerate(found)])
PEOPLE = st.builds(
    Person,
    user=st.sampled_from(USERS),
    groups=st.frozensets(st.sampled_from(GROUPS)),
    admin=st.booleans(),
    claims=st.sampled_from([{}, {"x": 1}]),
)


def items(slug: str, permitted: tuple[PermittedOption, ...]) -> Iterator[str]:
    for option in permitted:
        for choice in option.choices:
            yield item_name(slug, option.key, choice.name)
            yield from items(slug, choice.options)
        if option.unlisted:
            yield item_name(slug, option.key, FREE_TEXT)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(PROFILES, PEOPLE, st.sampled_from(["allow", "deny"]), st.booleans())
def test_view_agrees_with_the_catalogue(
    make_catalog: Any, profiles: Any, person: Person, default_access: str, bypass: bool
) -> None:
    catalog = make_catalog(
        yaml.safe_dump(profiles), default_access=default_access, admin_bypass=bypass
    )
    expected = {}
    for permitted in catalog.permitted(person):
        slug = permitted.profile.slug
        expected[slug] = permitted.decision.rule
        expected |= dict.fromkeys(items(slug, permitted.options))
    found = {
        name: decision.rule
        for name, decision in decided(view(catalog, person)).items()
        if decision.allowed
    }
    assert set(found) == set(expected)
    assert {slug: rule for slug, rule in found.items() if ":" not in slug} == {
        slug: rule for slug, rule in expected.items() if ":" not in slug
    }
