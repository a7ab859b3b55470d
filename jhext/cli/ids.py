"""``jhext ids``: the ledger, which remembers whose a uid is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._output import ExitCode, cannot, screen

if TYPE_CHECKING:
    from ..identity.ledger import Holder
    from ..identity.settings import IdentitySettings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    ids = typer.Typer(help="The ledger: which uid was given to whom.", no_args_is_help=True)
    ids.callback()(lambda: None)  # else a single command would take the place of the group
    ids.command("forget", epilog="Example: jhext ids forget 1001 --config jhext.yaml")(forget)
    app.add_typer(ids, name="ids")


def forget(
    uid: Annotated[int, typer.Argument(min=0, help="The uid.")],
    config: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="A jhext.yaml, or a jupyterhub_config.py."),
    ] = Path("jhext.yaml"),
) -> None:
    """Release a uid, so that the next person to whom a source gives it has it.

    Give the files of the one before to somebody else first, or delete them: who has the uid has
    the files. Where the ledger is a file, run it in the folder that the hub runs in. Ends with 0
    when the uid was somebody's, with 1 when it was nobody's, with 2 when the ledger or the
    configuration cannot be read.
    """
    import asyncio

    from ..identity.errors import IdentityUnavailable
    from ..offline.configuration import read_configuration
    from ..profiles.finding import ConfigurationError

    try:
        holder = asyncio.run(_forget(uid, read_configuration(config).settings.identity))
    except (ConfigurationError, IdentityUnavailable, ValueError) as error:
        cannot(error)
    if holder is None:
        screen(stderr=True).print(f"uid {uid} is nobody's in this ledger")
        raise typer.Exit(ExitCode.FOUND)
    known_by = f", subject {holder.subject}" if holder.subject else ""
    screen().print(f"uid {uid} was {holder.username}'s (source {holder.source}{known_by})")


async def _forget(uid: int, settings: IdentitySettings | None) -> Holder | None:
    from ..identity.build import ledger_of
    from ..identity.source import Workers

    if settings is None or settings.mode != "user" or settings.unique_uid == "off":
        raise ValueError("no ledger is kept: see unique_uid in the section identity")
    workers = Workers(1)
    ledger = ledger_of(settings, workers)
    try:
        return await ledger.forget(uid)
    finally:
        await ledger.close()
        workers.close()
