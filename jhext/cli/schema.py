"""``jhext schema``: the JSON Schema of ``jhext.yaml``, for editors."""

from __future__ import annotations

import typer

from ._output import print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema", epilog="Example: jhext schema > jhext.schema.json")(schema)


def schema() -> None:
    """Print the JSON Schema of jhext.yaml: an editor with it completes keys and marks errors.

    Ends with 0.
    """
    from ..offline.schema import schema as make

    print_json(make())
