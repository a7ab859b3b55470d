"""``jhext demo``: a whole hub on this machine, to look at or to prove that it works."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog="Example: jhext demo --check")(demo)


def demo(
    *,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Log in as everybody, start and stop servers, tell what failed, end."
        ),
    ] = False,
    state: Annotated[
        Path, typer.Option(help="The folder that everything is kept in; delete it to start anew.")
    ] = Path(".jhext-demo"),
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port on 127.0.0.1: 8000; any free one for --check and for 0."
        ),
    ] = None,
) -> None:
    """Run a hub with an embedded Kubernetes and a few people, until Ctrl-C.

    Ends with 0 when all went well, and with 1 when the hub could not run or a check failed.
    """
    from rich.console import Console

    from ..demo.run import prove, run, serve

    if port is None:
        port = 0 if check else 8000
    raise typer.Exit(run(state, port, Console(emoji=False), prove if check else serve))
