"""``jhext import``: what another system configures, as a ``jhext.yaml``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    from ..importers.imported import Imported


class System(StrEnum):
    """Where the values come from."""

    TWOI2C = "2i2c"
    NEBARI = "nebari"
    ODH = "odh"
    VORCUNUS = "vorcunus"
    MOUNTPOINTS = "mountpoints"


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = "Example: jhext import 2i2c common.values.yaml hub.values.yaml > jhext.yaml"
    app.command("import", epilog=epilog)(import_)


def import_(
    system: Annotated[System, typer.Argument(help="The system that the values are for.")],
    values: Annotated[
        list[Path],
        typer.Argument(help="Its values. Several are merged, in this order, as the system does."),
    ],
    to: Annotated[
        Path | None, typer.Option("-o", "--to", help="Write the jhext.yaml here.")
    ] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Convert profile lists, access blocks and mapping files to a jhext.yaml.

    What could not be carried over, and what has to be decided, is told on the standard error.
    Ends with 0 when there is nothing of the kind, with 1 when there is, with 2 when the values
    cannot be read.
    """
    from ..importers.documents import dump
    from ..offline.configuration import check_settings
    from ..profiles.finding import ConfigurationError

    try:
        imported = _convert(system, values)
    except ConfigurationError as error:
        cannot(error)
    findings = [*imported.notes, *check_settings(imported.settings)]
    text = dump(imported.settings)
    if to is not None:
        _write(text, to)
    if output is Output.JSON:
        print_json({"settings": imported.settings, "findings": as_json(findings)})
    else:
        if to is None:
            typer.echo(text, nl=False)
        print_findings(findings, screen(stderr=True))
    raise typer.Exit(ExitCode.FOUND if findings else ExitCode.FINE)


def _convert(system: System, values: list[Path]) -> Imported:
    from ..importers import mountpoints, nebari, odh, twoi2c, vorcunus
    from ..importers.documents import merged, one, read_documents, read_list

    if system is System.MOUNTPOINTS:
        return mountpoints.convert([entry for path in values for entry in read_list(path)])
    documents = [document for path in values for document in read_documents(path)]
    match system:
        case System.TWOI2C:
            return twoi2c.convert(merged(documents))
        case System.NEBARI:
            return nebari.convert(one(documents))
        case System.ODH:
            return odh.convert(documents)
        case System.VORCUNUS:
            return vorcunus.convert(one(documents))


def _write(text: str, to: Path) -> None:
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        cannot(error)
