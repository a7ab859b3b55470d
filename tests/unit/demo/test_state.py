"""The folder of the demo: secrets that nobody else can read, and nobody else's folder taken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jhext.demo.accounts import load
from jhext.demo.processes import StartError
from jhext.demo.state import open_state


def test_secrets_are_for_the_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open_state(tmp_path / "demo") as state:
            private = [state.accounts_file, state.crypt_key_file]
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert state.folder.stat().st_mode & 0o066 == 0


def test_passwords_stay_and_differ(tmp_path: Path) -> None:
    with open_state(tmp_path / "a") as state:
        first = load(state.accounts_file)
    with open_state(tmp_path / "a") as state:
        assert load(state.accounts_file) == first
    with open_state(tmp_path / "b") as state:
        other = load(state.accounts_file)
    passwords = {a.password.get_secret_value() for a in (*first.values(), *other.values())}
    assert len(passwords) == len(first) * 2
    assert min(map(len, passwords)) >= 12


def test_what_was_changed_by_hand_stays(tmp_path: Path) -> None:
    with open_state(tmp_path / "demo") as state:
        state.profiles.write_text("profiles: []\n")
    with open_state(tmp_path / "demo") as state:
        assert state.profiles.read_text() == "profiles: []\n"


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(StartError, match="not empty"), open_state(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_one_demo_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with open_state(folder), pytest.raises(StartError, match="Another demo"), open_state(folder):
        pass
    with open_state(folder):
        pass


def test_no_password_is_shown(tmp_path: Path) -> None:
    with open_state(tmp_path / "demo") as state:
        accounts = load(state.accounts_file)
    assert accounts["alice"].password.get_secret_value() not in repr(accounts)
