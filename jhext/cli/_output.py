"""How commands speak: to people in colour, to machines in JSON, and by their exit code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ..profiles.finding import Finding


class ExitCode(IntEnum):
    """What every command ends with."""

    FINE = 0
    FOUND = 1
    """There are findings, differences, refusals, failures: what the command looks for."""
    CANNOT = 2
    """The command was used wrongly, or cannot read what it was given."""


class Output(StrEnum):
    """For whom the result is."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--output", help="For people, or for machines.")]


def screen(*, stderr: bool = False) -> Console:
    """Give the console for people: with colour on a terminal, never with line breaks of its own."""
    from ._screen import Screen

    # Words between colons, as groups are called, are no names of emoji.
    return Screen(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def print_json(data: Any) -> None:
    """Write a result for machines."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def print_findings(findings: Iterable[Finding], console: Console) -> None:
    """Write findings for people, one in a line."""
    for finding in findings:
        text, style = str(finding), "red" if finding.level == "error" else "yellow"
        console.print(finding.level, style=f"bold {style}", end="")
        console.print(text.removeprefix(finding.level))


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Give findings for machines."""
    return [asdict(finding) for finding in findings]


def cannot(error: Exception) -> NoReturn:
    """End because something cannot be read, and say why."""
    from ..profiles.finding import ConfigurationError

    console = screen(stderr=True)
    if isinstance(error, ConfigurationError):
        print_findings(error.findings, console)
    else:
        console.print(f"error: {error}")
    raise typer.Exit(ExitCode.CANNOT)
