"""2i2c's values: who may start what stays the same, or nobody may."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.importers.documents import merged
from jhext.importers.twoi2c import convert
from jhext.profiles.finding import ConfigurationError


def imported(profile: dict[str, Any]) -> tuple[dict[str, Any], str]:
    result = convert({"singleuser": {"profileList": [{"display_name": "P", **profile}]}})
    return result.settings["profiles"][0], "\n".join(map(str, result.notes))


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        ({}, {"allow_all": True}),
        ({"allowed_groups": ["org:team"]}, {"allowed_groups": ["org:team"]}),
        ({"allowed_groups": []}, {"allowed_groups": []}),
        ({"allowed_groups": None}, {"allowed_groups": []}),
        ({"allowed_teams": ["org:team"]}, {"allowed_groups": ["org:team"]}),
        ({"allowed_groups": ["a"], "allowed_teams": ["b"]}, {"allowed_groups": ["a"]}),
        # D-57: what looks like a rule and is none must not make a profile public
        ({"allowedGroups": ["org:team"]}, {"allowed_users": []}),
        ({"allowed_groups": ["a"], "restricted_to": ["b"]}, {"allowed_users": []}),
    ],
)
def test_d57_access_of_a_profile(written: dict[str, Any], rules: dict[str, Any]) -> None:
    profile, _ = imported(written)
    assert profile == {"display_name": "P", **rules}


def test_what_people_read_is_text() -> None:
    choices = {"a": {"display_name": 3.7}, "b": {"display_name": "<image>:<tag>"}}
    options = {"size": {"display_name": 5, "choices": choices}}
    profile, notes = imported({"description": "With <b>GPU</b><br/>", "profile_options": options})
    size = profile["profile_options"]["size"]
    assert size["display_name"] == "5"
    assert size["choices"]["a"]["display_name"] == "3.7"
    assert [line.split(": ")[2] for line in notes.splitlines() if "tags" in line] == ["description"]


def test_d57_misspelt_rule_of_a_choice_lets_nobody_in() -> None:
    choices = {
        "open": {"display_name": "Open"},
        "ours": {"display_name": "Ours", "allowed_groups": ["org:team"]},
        "odd": {"display_name": "Odd", "allow_groups": ["org:team"]},
    }
    options = {"size": {"display_name": "Size", "choices": choices}}
    profile, notes = imported({"profile_options": options})
    assert profile["profile_options"]["size"]["choices"] == {
        "open": {"display_name": "Open"},
        "ours": {"display_name": "Ours", "allowed_groups": ["org:team"]},
        "odd": {"display_name": "Odd", "allowed_users": []},
    }
    assert "profile_options.size.choices.odd.allow_groups" in notes


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("^quay\\.io/org/", "(?:^quay\\.io/org/).*"),
        ("a|b", "(?:a|b).*"),
        ("^.+:.+$", "^.+:.+$"),
        ("quay\\.io/.*", "quay\\.io/.*"),
    ],
)
def test_d49_beginnings_still_match(written: str, expected: str) -> None:
    """KubeSpawner compares the beginning of free text, jhext the whole."""
    unlisted = {"enabled": True, "display_name": "Other", "validation_regex": written}
    profile, notes = imported({"profile_options": {"image": {"unlisted_choice": unlisted}}})
    found = profile["profile_options"]["image"]["unlisted_choice"]
    assert found["validation_regex"] == expected
    assert ("validation_regex" in notes) == (written != expected)


@pytest.mark.parametrize(
    "wrappers", [(), ("jupyterhub",), ("basehub", "jupyterhub"), ("daskhub", "basehub")]
)
def test_charts_in_charts(wrappers: tuple[str, ...]) -> None:
    values: dict[str, Any] = {"singleuser": {"profileList": [{"display_name": "P"}]}}
    for name in reversed(wrappers):
        values = {name: values, "nfs": {"enabled": True}}
    assert convert(values).settings["profiles"] == [{"display_name": "P", "allow_all": True}]


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({}, "singleuser.profileList"),
        ({"basehub": {"jupyterhub": {}}}, "basehub.jupyterhub.singleuser.profileList"),
        ({"singleuser": {"profileList": "many"}}, "singleuser.profileList"),
        ({"singleuser": {"profileList": ["one"]}}, "singleuser.profileList[0]"),
        ({"singleuser": []}, "singleuser"),
    ],
)
def test_unreadable(values: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        convert(values)
    assert caught.value.findings[0].where == where


def test_helm_merges_mappings_and_replaces_lists() -> None:
    first = {"a": {"b": 1, "c": [1, 2], "d": 5}, "e": 1}
    second = {"a": {"c": [3], "d": None, "f": {"g": 1}}, "e": {"h": 2}}
    assert merged([first, second]) == {"a": {"b": 1, "c": [3], "f": {"g": 1}}, "e": {"h": 2}}
