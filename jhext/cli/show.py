"""``jhext show``: what is in force of a configuration."""

from __future__ import annotations

import typer

from ._manifests import CONFIG, ConfigArgument, configuration_in
from ._output import ExitCode, Output, OutputOption, as_json, print_findings, print_json, screen


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show", epilog="Example: jhext show jupyterhub_config.py --output json")(show)


def show(file: ConfigArgument = CONFIG, output: OutputOption = Output.TEXT) -> None:
    """Show what is in force and who says so, on one page and without secrets.

    Ends with 0; with 1 when something that jhext.configure has added is there no more, which it
    tells; with 2 when the configuration cannot be read.
    """
    from dataclasses import asdict

    from ..in_force import page
    from ..offline.show import show as shown

    rows, findings = shown(configuration_in(file))
    if output is Output.JSON:
        print_json({"rows": [asdict(row) for row in rows], "findings": as_json(findings)})
    else:
        screen().print(page(rows))
        print_findings(findings, screen())
    raise typer.Exit(ExitCode.FOUND if findings else ExitCode.FINE)
