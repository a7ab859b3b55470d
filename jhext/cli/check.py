"""``jhext check``: everything that can be said against a configuration beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._output import (
    ExitCode,
    Output,
    OutputOption,
    as_json,
    cannot,
    print_findings,
    print_json,
    screen,
)

if TYPE_CHECKING:
    from ..offline.check import Report


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check", epilog="Example: jhext check jhext.yaml --groups groups.txt")(check)


def check(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="A jhext.yaml, or a jupyterhub_config.py."
        ),
    ],
    groups: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="A file with the names of all groups, one in a line."
        ),
    ] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Find what is wrong with a configuration, without a cluster.

    Besides what keeps a hub from starting: profiles that nobody can start, lines of mapping files
    that match nothing, rules that can never be true, groups that no known source gives. Ends with
    0 when there is nothing, with 1 when there is something, with 2 when the file cannot be read.
    """
    from ..offline import check as checking
    from ..profiles.finding import ConfigurationError
    from ..profiles.names import parse_names

    try:
        known = parse_names(groups.read_bytes(), str(groups)) if groups else []
    except (OSError, ConfigurationError) as error:
        cannot(error)
    report = checking.check(file, known)
    if output is Output.JSON:
        print_json(_for_machines(report))
    else:
        _print(report)
    raise typer.Exit(ExitCode.FOUND if report.findings else ExitCode.FINE)


def _for_machines(report: Report) -> dict[str, Any]:
    return {
        "findings": as_json(report.findings),
        "mappings": [
            {"file": file.file, "line": line.number, "meaning": line.meaning}
            for file in report.mappings
            for line in file.lines
        ],
    }


def _print(report: Report) -> None:
    console = screen()
    for file in report.mappings:
        console.print(f"{file.file} was read as:")
        for line in file.lines:
            console.print(f"  {line.number}: {line.meaning}")
    print_findings(report.findings, console)
    errors = sum(finding.level == "error" for finding in report.findings)
    warnings = len(report.findings) - errors
    style = "red" if errors else "yellow" if warnings else "green"
    console.print(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}", style=style)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
