"""``jhext diff``: who gains and who loses what between two versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._output import ExitCode, Output, OutputOption, cannot, print_json, screen

if TYPE_CHECKING:
    from rich.console import Console

    from ..offline.compare import Change, Difference


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = "Example: git show main:jhext.yaml > old.yaml; jhext diff old.yaml jhext.yaml"
    app.command("diff", epilog=epilog)(diff)


def diff(
    old: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The configuration before.")
    ],
    new: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The configuration after.")
    ],
    users: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="People with their groups: a mapping in YAML, or what GET /hub/api/users gives.",
        ),
    ] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Tell who gains and who loses which profiles and choices, for a reviewer.

    With people, each is asked about; without, the rules are compared. What else is written
    differently is listed too. Ends with 0 when nothing differs, with 1 when something does, with
    2 when something cannot be read.
    """
    from ..offline.compare import compare
    from ..offline.configuration import read_configuration
    from ..offline.people import read_people
    from ..profiles.finding import ConfigurationError

    try:
        people = read_people(users) if users else None
        found = compare(read_configuration(old), read_configuration(new), people)
    except ConfigurationError as error:
        cannot(error)
    if output is Output.JSON:
        print_json(asdict(found))
    else:
        console = screen()
        _print_differences(found.differences, console)
        _print_changes(found.changes, console)
        if people is not None:
            affected = f"{len(found.differences)} of {len(people)} people"
            console.print(f"{affected} gain or lose something", style="bold")
        elif not (found.differences or found.changes):
            console.print("nothing differs", style="green")
    raise typer.Exit(ExitCode.FOUND if found.differences or found.changes else ExitCode.FINE)


def _print_differences(differences: Iterable[Difference], console: Console) -> None:
    for difference in differences:
        console.print(difference.subject, style="bold")
        for sign, style, items in (
            ("+", "green", difference.gains),
            ("-", "red", difference.loses),
        ):
            for name, why in items.items():
                console.print(f"  {sign} {name}", style=style, end="")
                console.print(f"  # {why}")


def _print_changes(changes: Iterable[Change], console: Console) -> None:
    for change in changes:
        console.print(change.item, style="bold", end="")
        console.print(f": {change.key}: {change.old!r} -> {change.new!r}")
