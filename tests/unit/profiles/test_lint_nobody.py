"""A profile that nobody can use is a warning that names it."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.profiles.catalog import Policy


def option(**keys: Any) -> dict[str, Any]:
    return {"profile_options": {"image": {"display_name": "Image", **keys}}}


def choices(**keys: Any) -> dict[str, Any]:
    return option(choices={"a": {"display_name": "A", **keys}})


NOBODY = {
    "no rule": {},
    "empty list": {"allowed_users": []},
    "null": {"allowed_groups": None},
    "allow_all is false": {"allow_all": False},
    "all who are allowed are blocked": {"allowed_users": ["a"], "blocked_users": ["a", "b"]},
    "no choice can be taken": {"allow_all": True, **choices(allowed_users=[])},
    "no free text can be given": {
        "allow_all": True,
        **option(unlisted_choice={"enabled": True, "allowed_groups": []}),
    },
    "no nested choice can be taken": {
        "allow_all": True,
        **choices(profile_options=choices(allowed_users=[])["profile_options"]),
    },
}


@pytest.mark.parametrize("written", NOBODY.values(), ids=NOBODY)
def test_profile_that_nobody_can_use_is_a_warning(check: Any, written: dict[str, Any]) -> None:
    catalog = check([{"display_name": "Mine", **written}])
    (finding,) = catalog.findings
    assert (finding.level, finding.where) == ("warning", "profile 'Mine'")
    assert "nobody can use it" in finding.message


NOT_OPEN = {"display_name": "A", "allowed_users": []}
SOMEBODY = {
    "all": {"allow_all": True},
    "a group": {"allowed_groups": ["x"], "blocked_groups": ["x", "y"]},
    "an expression": {"allow_if": "false", "allowed_users": []},
    "somebody who is not blocked": {"allowed_users": ["a", "b"], "blocked_users": ["a"]},
    "optional": {"allow_all": True, **option(optional=True, choices={"a": NOT_OPEN})},
    "free text": {
        "allow_all": True,
        **option(choices={"a": NOT_OPEN}, unlisted_choice={"enabled": True}),
    },
    "keys without a meaning": {
        "allow_all": True,
        "x-note": "y",
        **choices(**{"x-icon": {"kubespawner_override": {"nonsense": 1}}}),
    },
}


@pytest.mark.parametrize("written", SOMEBODY.values(), ids=SOMEBODY)
def test_profile_that_somebody_can_use_is_none(check: Any, written: dict[str, Any]) -> None:
    assert not check([{"display_name": "Mine", **written}]).findings


def test_no_rule_is_no_warning_where_the_default_allows(check: Any) -> None:
    assert not check([{"display_name": "Mine"}], Policy("allow")).findings
