"""Users and groups that stand in files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.profiles.finding import ConfigurationError, Finding
from jhext.profiles.names import fill_in, parse_names
from jhext.profiles.written import Place, Written, as_written


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("ada grace\talan", ["ada", "grace", "alan"]),
        ("ada\ngrace\r\n\nalan", ["ada", "grace", "alan"]),
        ("\ufeffada", ["ada"]),
        ("# all of them\nada # first\ngrace", ["ada", "grace"]),
        ("lab#1 c#", ["lab#1", "c#"]),
        ('"Domain Users" /hpc/gpu', ["Domain Users", "/hpc/gpu"]),
        ('"ada"', ["ada"]),
        (r"DOMAIN\users lab:gpu", [r"DOMAIN\users", "lab:gpu"]),
    ],
)
def test_names(text: str, names: list[str]) -> None:
    assert parse_names(text.encode(), "users") == names


@pytest.mark.parametrize(
    "text", ['"Domain Users', 'Domain" Users"', 'a"b', '"a"b', '""', '"', "a\u200bb", "\x00"]
)
def test_malformed_lines(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_names(f"ada\n{text}\n".encode(), "users")
    assert [(item.file, item.line) for item in raised.value.findings] == [("users", 2)]


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1)


@given(st.lists(NAMES.filter(lambda name: '"' not in name and name.isprintable())))
def test_quoted_names_are_read_as_written(names: list[str]) -> None:
    text = "\n".join(f'"{name}"' for name in names)
    assert parse_names(text.encode(), "users") == names


FILES = {"/p/users": ["ada"], "/etc/groups": ["staff", "lab"]}


def read(path: Path) -> list[str]:
    if str(path) not in FILES:
        finding = Finding("error", "", "", "cannot be read", str(path), suggestion="mend it")
        raise ConfigurationError([finding])
    return FILES[str(path)]


def filled(value: Any) -> tuple[Any, list[Finding]]:
    place = Place("/p/profiles.yaml", 1)
    (profile,) = as_written([Written(as_written([value])[0].value, 1, {(): place})])
    result, found = fill_in(profile, read)
    return result.value, found


USERS, GROUPS = {"file": "users"}, {"file": "/etc/groups"}


def test_on_every_level() -> None:
    def everywhere(users: Any, groups: Any) -> Any:
        rules = {"allowed_users": users, "blocked_groups": groups}
        option = {"choices": {"c": {**rules}}, "unlisted_choice": rules}
        choice = {**rules, "profile_options": {"inner": option}}
        options = {"outer": {"choices": {"allowed_users": choice}, "unlisted_choice": rules}}
        return {**rules, "profile_options": options}

    value, found = filled(everywhere(USERS, GROUPS))
    assert not found
    assert value == everywhere(["ada"], ["staff", "lab"])


def test_what_looks_like_it_and_is_none_stays() -> None:
    profile = {
        "kubespawner_override": {"environment": {"allowed_users": USERS}},
        "x-notes": {"allowed_users": USERS},
        "allowed_users": ["ada"],
        "profile_options": 5,
    }
    assert filled(profile) == (profile, [])


@pytest.mark.parametrize(
    ("reference", "path", "message"),
    [
        ({"file": "none"}, "allowed_users", "/p/none cannot be read"),
        ({"files": "users"}, "allowed_users", "must be a list of names or {file: PATH}"),
        ({"file": ["users"]}, "allowed_users", "must be a list of names or {file: PATH}"),
        ({"file": "users", "x": 1}, "allowed_users", "must be a list of names or {file: PATH}"),
        ({}, "allowed_users", "must be a list of names or {file: PATH}"),
    ],
)
def test_d04_what_cannot_be_read_allows_nobody_and_is_an_error(
    reference: Any, path: str, message: str
) -> None:
    value, (found,) = filled({"allowed_users": reference})
    assert value == {"allowed_users": []}
    assert (found.level, found.path, found.message) == ("error", path, message)
