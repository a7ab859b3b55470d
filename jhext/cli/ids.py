"""``jhext ids``: whose a uid is, and which ids were allocated to whom."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..identity.exchange import Form
from ._output import ExitCode, Output, OutputOption, cannot, print_json, screen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from typing import Any, TypeVar

    from ..identity.allocate import Allocated, Registry
    from ..identity.ledger import Holder
    from ..identity.settings import IdentitySettings

    T = TypeVar("T")

ConfigOption = Annotated[
    Path,
    typer.Option(exists=True, dir_okay=False, help="A jhext.yaml, or a jupyterhub_config.py."),
]
_CONFIG = Path("jhext.yaml")
_NUMBERS = re.compile(r"(\d{1,10})(?:-(\d{1,10}))?")
MOST_RESERVED = 100_000
"""How many ids can be reserved at once: each is a row of the database."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    ids = typer.Typer(
        help="Whose a uid is, and which ids were allocated.",
        epilog="Example: jhext ids list --config jhext.yaml",
        no_args_is_help=True,
    )
    ids.command("list", epilog="Example: jhext ids list --output json")(list_)
    ids.command(
        "export", epilog="Example: jhext ids export ldif --base dc=example,dc=org > ids.ldif"
    )(export)
    ids.command("import", epilog="Example: jhext ids import passwd /etc/passwd.lab")(import_)
    ids.command("reserve", epilog="Example: jhext ids reserve user 3000000-3000099")(reserve)
    ids.command("forget", epilog="Example: jhext ids forget 1001 --config jhext.yaml")(forget)
    app.add_typer(ids, name="ids")


def list_(config: ConfigOption = _CONFIG, output: OutputOption = Output.TEXT) -> None:
    """List the ids that were allocated. Nothing is allocated by looking.

    Ends with 0, or with 2 when the registry or the configuration cannot be read.
    """
    entries = _registered(config, lambda registry: registry.entries())
    if output is Output.JSON:
        print_json([asdict(entry) for entry in entries])
        return
    for entry in entries:
        typer.echo(_row(entry))


def export(
    form: Annotated[Form, typer.Argument(help="The form to write.")],
    base: Annotated[
        str, typer.Option(help="Below which name LDIF has ou=people and ou=groups.")
    ] = "dc=example,dc=org",
    config: ConfigOption = _CONFIG,
) -> None:
    """Write the ids that were allocated for another system.

    Reserved ids, and names that are none on Unix, are in the JSON only. Ends with 0, or with 2 when
    the registry or the configuration cannot be read.
    """
    from ..identity.exchange import write

    for line in write(_registered(config, lambda registry: registry.entries()), form, base):
        typer.echo(line)


def import_(
    form: Annotated[Form, typer.Argument(help="The form of the file.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file.")],
    config: ConfigOption = _CONFIG,
) -> None:
    """Take up ids that were given elsewhere: all of them, or none where one stands against it.

    Of LDIF, the entries of the classes posixAccount and posixGroup are read. Ids that are there
    already stay. Ends with 0; with 1 when entries of the registry stand against the file, which
    are listed; with 2 when something cannot be read.
    """
    from ..identity.exchange import read

    try:
        entries = read(file.read_text(encoding="utf-8"), form)
    except (OSError, ValueError) as error:
        cannot(ValueError(f"{file}: {error}"))
    _add(config, entries)


def reserve(
    kind: Annotated[str, typer.Argument(metavar="user|group", help="Uids, or gids.")],
    numbers: Annotated[str, typer.Argument(help="A number, or FIRST-LAST.")],
    config: ConfigOption = _CONFIG,
) -> None:
    """Keep ids from being allocated to anybody.

    Ends with 0; with 1 when some are somebody's, who are listed; with 2 when something cannot be
    read.
    """
    from ..identity.allocate import Allocated, Kind

    match = _NUMBERS.fullmatch(numbers)
    try:
        if match is None:
            raise ValueError(f"{numbers!r} is neither a number nor FIRST-LAST")
        of = Kind(kind)
    except ValueError as error:
        cannot(error)
    first, last = int(match[1]), int(match[2] or match[1])
    if not 0 <= last - first < MOST_RESERVED:
        cannot(ValueError(f"from 1 to {MOST_RESERVED} ids can be reserved at once"))
    _add(config, [Allocated(of, n, f"reserved:{n}", "") for n in range(first, last + 1)])


def forget(
    uid: Annotated[int, typer.Argument(min=0, help="The uid.")],
    config: ConfigOption = _CONFIG,
) -> None:
    """Release a uid, so that the next person to whom a source gives it has it.

    Give the files of the one before to somebody else first, or delete them: who has the uid has
    the files. A uid that was allocated is never given to anybody else. Where the ledger is a file,
    run it in the folder that the hub runs in. Ends with 0 when the uid was somebody's, with 1 when
    it was nobody's, with 2 when the ledger or the configuration cannot be read.
    """
    holder = _run(config, lambda settings: _forget(uid, settings))
    if holder is None:
        screen(stderr=True).print(f"uid {uid} is nobody's in this ledger")
        raise typer.Exit(ExitCode.FOUND)
    known_by = f", subject {holder.subject}" if holder.subject else ""
    screen().print(f"uid {uid} was {holder.username}'s (source {holder.source}{known_by})")


def _add(config: Path, entries: list[Allocated]) -> None:
    against = _registered(config, lambda registry: registry.add(entries))
    if against:
        console = screen(stderr=True)
        console.print("nothing was taken up, because of what is there:")
        for entry in against:
            console.print(_row(entry))
        raise typer.Exit(ExitCode.FOUND)


def _row(entry: Allocated) -> str:
    return f"{entry.kind:<6}{entry.number:>11}  {entry.name or '-'}  {entry.holder}"


def _registered(config: Path, ask: Callable[[Registry], Coroutine[Any, Any, T]]) -> T:
    async def asked(settings: IdentitySettings | None) -> T:
        async with _registry(settings) as registry:
            return await ask(registry)

    return _run(config, asked)


def _run(config: Path, ask: Callable[[IdentitySettings | None], Coroutine[Any, Any, T]]) -> T:
    """Ask what a section ``identity`` describes; end with words where it cannot be asked."""
    import asyncio

    from ..identity.errors import IdentityUnavailable
    from ..offline.configuration import read_configuration
    from ..profiles.finding import ConfigurationError

    try:
        return asyncio.run(ask(read_configuration(config).settings.identity))
    except (ConfigurationError, IdentityUnavailable, ValueError) as error:
        cannot(error)


@asynccontextmanager
async def _registry(settings: IdentitySettings | None) -> AsyncIterator[Registry]:
    from ..identity.build import registry_of
    from ..identity.source import Workers

    workers = Workers(1)
    registry = registry_of(settings, workers) if settings else None
    if registry is None:
        raise ValueError("no ids are allocated: see allocate in the section identity")
    try:
        yield registry
    finally:
        await registry.close()
        workers.close()


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
