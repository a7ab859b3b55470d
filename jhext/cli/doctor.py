"""``jhext doctor``: what stands in the way of a hub, and how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._manifests import CONFIG, ConfigArgument, configuration_in
from ._output import ExitCode, Output, OutputOption, print_json, screen

_STYLES = {"ok": "green", "warning": "yellow", "error": "red"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", epilog="Example: jhext doctor jhext.yaml --user alice")(doctor)


def doctor(
    file: ConfigArgument = CONFIG,
    user: Annotated[str, typer.Option(help="Whom to look up in the directory.")] = "",
    namespace: Annotated[
        str, typer.Option(help="By default that of the kubeconfig's context, or of this pod.")
    ] = "",
    kubeconfig: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="By default as kubectl finds it."),
    ] = None,
    service_account: Annotated[
        str, typer.Option(help="Whose rights to look at; by default those of whoever asks.")
    ] = "",
    output: OutputOption = Output.TEXT,
) -> None:
    """Look whether the cluster, the directory and the provider give a hub what it needs.

    Changes nothing. Ends with 0 when there is no error, be there warnings; with 1 when there is
    one; with 2 when the configuration cannot be read.
    """
    import asyncio
    from dataclasses import asdict

    from ..doctor.checks import lines_of
    from ..doctor.look import look
    from ..doctor.plan import plan_of

    configuration = configuration_in(file)
    plan = plan_of(configuration)
    options = {"user": user, "namespace": namespace, "account": service_account}
    world = asyncio.run(look(configuration, plan, kubeconfig=kubeconfig, **options))
    lines = lines_of(plan, world)
    if output is Output.JSON:
        print_json([asdict(line) for line in lines])
    else:
        console = screen()
        for line in lines:
            console.print(f"{line.level:<8}", style=_STYLES[line.level], end="")
            console.print(f"{line.check}: {line.message}")
            if line.fix:
                console.print(f"        → {line.fix}")
    has_error = any(line.level == "error" for line in lines)
    raise typer.Exit(ExitCode.FOUND if has_error else ExitCode.FINE)
