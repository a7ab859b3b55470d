"""``jhext demo``: a whole hub on this machine, to look at or to prove that it works."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


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
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 8000,
) -> None:
    """Run a hub with an embedded Kubernetes and a few people, until Ctrl-C."""
    from ..demo.run import run

    raise typer.Exit(run(state, port, check=check))
