"""``jhext test``: cases beside the rules, like unit tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._output import ExitCode, Output, OutputOption, cannot, print_json, screen

if TYPE_CHECKING:
    from rich.console import Console

    from ..offline.cases import Result


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("test", epilog="Example: jhext test rules_test.yaml")(run)


def run(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The cases, in YAML.")],
    config: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="A jhext.yaml or a jupyterhub_config.py in the place of the one the cases name.",
        ),
    ] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Check who may start what, and who may not, and by which rule.

    Ends with 0 when every case comes out as expected, with 1 when one does not, with 2 when the
    cases or the configuration cannot be read.
    """
    from ..offline.cases import read_cases, run_cases
    from ..offline.configuration import read_configuration
    from ..profiles.finding import ConfigurationError

    try:
        cases = read_cases(file)
        results = run_cases(cases, read_configuration(config or cases.configuration))
    except ConfigurationError as error:
        cannot(error)
    if output is Output.JSON:
        print_json([_for_machines(result) for result in results])
    else:
        _print(file, results, screen())
    passed = all(result.passed for result in results)
    raise typer.Exit(ExitCode.FINE if passed else ExitCode.FOUND)


def _for_machines(result: Result) -> dict[str, Any]:
    return {
        "line": result.line,
        "case": str(result.case),
        "passed": result.passed,
        "expected": result.case.expect,
        "because": result.case.because,
        "got": result.got,
        "rule": result.verdict.decision.rule,
        "reason": result.verdict.decision.reason,
    }


def _print(file: Path, results: list[Result], console: Console) -> None:
    from ..offline.view import because

    failed = [result for result in results if not result.passed]
    for result in failed:
        expected = " because ".join(filter(None, (result.case.expect, result.case.because)))
        console.print("failed", style="bold red", end="")
        console.print(f" {file}:{result.line}: {result.case}")
        console.print(f"  - {expected}", style="red")
        console.print(f"  + {result.got} because {because(result.verdict.decision)}", style="green")
    style = "red" if failed else "green"
    console.print(f"{len(results) - len(failed)} passed, {len(failed)} failed", style=style)
