"""Every command says what it does, how it ends, and gives an example that is right."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from jhext.cli import application


def commands(group: Any, *path: str) -> Iterator[str]:
    """Give every command, those in groups by their whole names."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield " ".join([*path, name])


def help_of(shell: Any, command: str) -> str:
    said = shell(*command.split(), "--help").stdout
    return " ".join(re.sub("[│╭╮╰╯─]", " ", said).split())


@pytest.mark.parametrize("command", sorted(commands(typer.main.get_command(application()))))
def test_help_has_an_example_and_the_exit_codes(shell: Any, command: str) -> None:
    text = help_of(shell, command)
    example = text.partition("Example: ")[2]
    assert f"jhext {command}" in example
    assert "Ends with 0" in text
    words = shlex.split(example.partition(f"jhext {command}")[2].partition(" > ")[0])
    options = {word for word in words if word.startswith("-")}
    assert all(option in text.partition("Example: ")[0] for option in options)


@pytest.mark.parametrize("group", ["crypt-keys", "ids", "storage"])
def test_help_of_a_group_has_an_example_of_one_of_its_commands(shell: Any, group: str) -> None:
    example = help_of(shell, group).partition("Example: ")[2].split()
    known = set(commands(typer.main.get_command(application())))
    assert example[0] == "jhext"
    assert " ".join(example[1:3]) in known


def test_shells_can_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--install-completion" in CliRunner().invoke(application(), ["--help"]).stdout
    completing = {"_JHEXT_COMPLETE": "complete_bash", "COMP_WORDS": "jhext ex", "COMP_CWORD": "1"}
    result = CliRunner().invoke(application(), [], prog_name="jhext", env=completing)
    assert result.stdout.split() == ["explain"]
