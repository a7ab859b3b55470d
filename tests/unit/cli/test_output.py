"""People on a terminal see colours; files and machines do not."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.cli._output import screen

FAULTY = "profiles: [{slug: small, display_name: Small, allow_al: true}]"


def test_colour_on_a_terminal_alone(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.write(jhext__yaml=FAULTY)
    plain = shell("check", "jhext.yaml").stdout
    monkeypatch.setenv("FORCE_COLOR", "1")  # as if there were one
    coloured = shell("check", "jhext.yaml").stdout
    assert "\x1b[" not in plain
    assert "\x1b[1;31merror\x1b[0m: jhext.yaml:1: profile 'small'" in coloured
    assert "\x1b[" not in shell("check", "jhext.yaml", "--output", "json").stdout


def test_long_lines_and_markup_are_left_alone(shell: Any) -> None:
    name = "[red]" + "a" * 200
    settings = FAULTY.replace("slug: small, display_name: Small", f"display_name: '{name}'")
    shell.write(jhext__yaml=settings)
    assert f"profile {name!r}: allow_al" in shell("check", "jhext.yaml").stdout


def test_names_do_not_control_the_terminal(shell: Any) -> None:
    rule = r'allowed_users: ["eve\e[2K\r\u202e"]'
    shell.write(
        old__yaml="profiles: [{slug: a, display_name: A, allowed_users: [ada]}]",
        new__yaml=f"profiles: [{{slug: a, display_name: A, {rule}}}]",
    )
    told = shell("diff", "old.yaml", "new.yaml").stdout
    assert r"+ user eve\x1b[2K\r\u202e  # allowed_users" in told


def test_words_between_colons_stay_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Groups are called ``lab:x:gpu``, and ``:x:`` is the name of an emoji."""
    screen().print("lab:x:gpu", style="red")
    assert "lab:x:gpu" in capsys.readouterr().out
