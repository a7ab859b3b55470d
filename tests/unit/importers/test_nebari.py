"""Nebari's profiles: ``access`` becomes rules, and unknown access lets nobody in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.importers.nebari import convert
from jhext.profiles.access import Decision, Person, decide
from jhext.profiles.finding import ConfigurationError
from jhext.profiles.model import Profile

DENIED = Decision(False, "default_access", "")


def imported(profile: dict[str, Any]) -> dict[str, Any]:
    settings = convert({"profiles": {"jupyterlab": [{"display_name": "P", **profile}]}}).settings
    result: dict[str, Any] = settings["profiles"][0]
    return result


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        ({}, {"allow_all": True}),
        ({"access": "all"}, {"allow_all": True}),
        ({"access": "all", "users": ["ada"]}, {"allow_all": True}),
        ({"access": "yaml", "users": ["ada"]}, {"allowed_users": ["ada"]}),
        ({"access": "yaml", "groups": ["gpu"]}, {"allowed_groups": ["/gpu"]}),
        (
            {"access": "yaml", "users": ["ada"], "groups": ["gpu"]},
            {"allowed_users": ["ada"], "allowed_groups": ["/gpu"]},
        ),
        ({"access": "yaml"}, {"allowed_users": []}),
        ({"access": "yaml", "users": None, "groups": None}, {"allowed_users": []}),
        # what Nebari compares the last part of a path with never has a slash
        ({"access": "yaml", "groups": ["/a/gpu"]}, {"allowed_users": []}),
        # D-14: Nebari's filter shows a profile of an unknown mode to everybody
        ({"access": "ldap"}, {"allowed_users": []}),
        ({"access": None}, {"allowed_users": []}),
    ],
)
def test_access(written: dict[str, Any], rules: dict[str, Any]) -> None:
    assert imported(written) == {"display_name": "P", **rules}


# No name of a profile holds a control.
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


@given(NAMES, st.lists(st.text(), max_size=3))
def test_keycloak_names_become_a_rule_that_means_the_same(name: str, others: list[str]) -> None:
    written = imported({"access": "keycloak", "display_name": name})
    profile = Profile.model_validate({"slug": "p", **written})

    def allowed(claims: dict[str, Any]) -> bool:
        return decide(profile, Person("ada", claims=claims), default=DENIED).allowed

    assert allowed({"jupyterlab_profiles": [*others, name]})
    assert allowed({"jupyterlab_profiles": others}) == (name in others)
    assert not allowed({})
    assert not allowed({"jupyterlab_profiles": json.dumps([name])})


def test_claims_are_those_of_the_login() -> None:
    profiles = [{"display_name": "P", "access": "keycloak"}]
    assert convert({"profiles": {"jupyterlab": profiles}}).settings["hub"] == {
        "claims_key": "oauth_user"
    }


@pytest.mark.parametrize("config", [{}, {"profiles": {}}, {"profiles": {"jupyterlab": 3}}])
def test_unreadable(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        convert(config)
