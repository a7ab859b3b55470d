"""``jhext storage``: which claims there are, whose, and what becomes of them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._output import ExitCode, Output, OutputOption, cannot, print_json, screen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
    from typing import TypeVar

    from ..storage.changes import Change
    from ..storage.cluster import Claims
    from ..storage.inventory import Row
    from ..storage.settings import StorageSettings
    from ..storage.volumes import Object

    T = TypeVar("T")

NamespaceOption = Annotated[
    str, typer.Option(help="By default that of the kubeconfig's context, or of this pod.")
]
KubeconfigOption = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="By default as kubectl finds it.")
]
ConfigOption = Annotated[
    Path,
    typer.Option(exists=True, dir_okay=False, help="A jhext.yaml, or a jupyterhub_config.py."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
NameArgument = Annotated[str, typer.Argument(help="The name of the claim.")]
_HEADINGS = ("CLAIM", "KEY", "OWNER", "SERVER", "SIZE", "PHASE", "LAST USED", "MOUNTED BY")
_CONFIG = Path("jhext.yaml")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    storage = typer.Typer(
        help="Which claims there are, and whose.",
        epilog="Example: jhext storage list --user alice",
        no_args_is_help=True,
    )
    storage.command("list", epilog="Example: jhext storage list --user alice")(list_)
    storage.command("orphans", epilog="Example: jhext storage orphans --unused-for 180d")(orphans)
    storage.command(
        "adopt", epilog="Example: jhext storage adopt claim-alice --claim home --user alice"
    )(adopt)
    storage.command("grow", epilog="Example: jhext storage grow claim-alice --size 20Gi")(grow)
    storage.command("rm", epilog="Example: jhext storage rm claim-bob --dry-run")(rm)
    app.add_typer(storage, name="storage")


def list_(
    user: Annotated[str, typer.Option(help="Only this person's, by the exact name.")] = "",
    namespace: NamespaceOption = "",
    kubeconfig: KubeconfigOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """List the claims of people and of the hub.

    Ends with 0, or with 2 when the cluster cannot be asked.
    """
    rows = [row for row in _rows(namespace, kubeconfig) if user in ("", row.user)]
    _show(rows, output)


def orphans(
    users: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="A file with the people there are, one in a line."
        ),
    ] = None,
    unused_for: Annotated[str, typer.Option(help="Such as 180d.")] = "",
    namespace: NamespaceOption = "",
    kubeconfig: KubeconfigOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """List the claims of people that nobody seems to need: of people who left, or long not used.

    With both options, those that both are true of. Nothing is deleted. Ends with 0 when there are
    none, with 1 when there are some, with 2 when the cluster cannot be asked.
    """
    from ..storage import inventory
    from ..units import parse_duration

    if users is None and not unused_for:
        cannot(ValueError("say --users or --unused-for"))
    try:
        since = datetime.now(UTC) - parse_duration(unused_for) if unused_for else None
        lines = users.read_text(encoding="utf-8").splitlines() if users else ()
        names = frozenset(map(str.strip, lines)) if users else None
    except (OSError, ValueError) as error:
        cannot(error)
    if names is not None and not any(names):
        cannot(ValueError(f"{users} names nobody, and then everybody would have left"))
    found = inventory.orphans(_rows(namespace, kubeconfig), names, since)
    _show(found, output)
    if found:
        raise typer.Exit(ExitCode.FOUND)


def adopt(
    name: NameArgument,
    claim: Annotated[str, typer.Option(help="Which of storage.claims it is to be.")],
    user: Annotated[str, typer.Option(help="Whose it is to be, by the exact name.")] = "",
    server: Annotated[str, typer.Option(help="For which server; empty: the default one.")] = "",
    group: Annotated[str, typer.Option(help="The group, for a claim per group.")] = "",
    from_: Annotated[str, typer.Option("--from", help="Who is to lose it, if it is one's.")] = "",
    config: ConfigOption = _CONFIG,
    namespace: NamespaceOption = "",
    kubeconfig: KubeconfigOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Let a claim be a person's, whatever it is called.

    It gets labels and annotations; its files stay as they are, and belong to the uid that wrote
    them. Ends with 0; with 1 when something stands against it, or you say no; with 2 when the
    configuration or the cluster cannot be read.
    """
    from ..storage import changes

    wanted = changes.Adoption(name, claim, user, server, group, from_)
    settings = _settings(config)

    async def plan(claims: Claims) -> list[Change]:
        found = [*await claims.all(), *await _named([name], claims)]
        return changes.adoption(wanted, settings, found, await claims.pods())

    _change(plan, namespace, kubeconfig, dry_run, yes)


def grow(
    names: Annotated[
        list[str] | None, typer.Argument(help="The claims; none: all that should be larger.")
    ] = None,
    size: Annotated[str, typer.Option(help="By default the one in storage.claims.")] = "",
    config: ConfigOption = _CONFIG,
    namespace: NamespaceOption = "",
    kubeconfig: KubeconfigOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Let claims grow to the size that storage.claims says, or to another. None ever shrinks.

    The class of the volume has to allow it. Ends with 0; with 1 when something stands against it,
    or you say no; with 2 when the configuration or the cluster cannot be read.
    """
    from ..storage import changes
    from ..units import parse_quantity

    settings = _settings(config)
    try:
        if size and parse_quantity(size) <= 0:
            raise ValueError("--size must be more than nothing")
    except ValueError as error:
        cannot(error)
    if size and not names:
        cannot(ValueError("--size needs the names of claims"))

    async def plan(claims: Claims) -> list[Change]:
        found = await _named(names, claims) if names else await claims.all()
        return changes.growing(names or (), size, settings, found)

    _change(plan, namespace, kubeconfig, dry_run, yes)


def rm(
    names: Annotated[list[str], typer.Argument(help="The names of the claims.")],
    namespace: NamespaceOption = "",
    kubeconfig: KubeconfigOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Delete claims of people, with all files: those that no pod mounts, and no others.

    All of them, or none. Ends with 0; with 1 when something stands against it, or you say no; with
    2 when the cluster cannot be asked.
    """
    from ..storage import changes

    async def plan(claims: Claims) -> list[Change]:
        return changes.removal(names, await _named(names, claims), await claims.pods())

    _change(plan, namespace, kubeconfig, dry_run, yes)


def _change(
    plan: Callable[[Claims], Awaitable[list[Change]]],
    namespace: str,
    kubeconfig: Path | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Say what would be done, ask, and do it to the claims as they were then."""
    from ..storage.changes import NotPossibleError

    console = screen()
    try:
        steps = _run(namespace, kubeconfig, plan)
    except NotPossibleError as error:
        screen(stderr=True).print(f"nothing is done: {error}")
        raise typer.Exit(ExitCode.FOUND) from None
    for step in steps:
        console.print(step.text)
    if not steps:
        console.print("there is nothing to do")
    if dry_run or not steps:
        return
    if not yes and not typer.confirm("Shall this be done?"):
        raise typer.Exit(ExitCode.FOUND)

    async def do(claims: Claims) -> list[str]:
        return [step.text for step in steps if not await _apply(step, claims)]

    if left := _run(namespace, kubeconfig, do):
        for text in left:
            screen(stderr=True).print(f"not done, for it changed meanwhile: {text}")
        raise typer.Exit(ExitCode.FOUND)


async def _apply(step: Change, claims: Claims) -> bool:
    """Make a change, if the claim is as it was; say whether it was made."""
    if step.patch is None:
        return await claims.delete(step.claim)
    from kubernetes_asyncio.client.exceptions import ApiException

    metadata = step.claim["metadata"]
    same = {name: metadata[name] for name in ("uid", "resourceVersion")}
    marks = {**step.patch.get("metadata", {}), **same}
    try:
        await claims.patch(metadata["name"], {**step.patch, "metadata": marks})
    except ApiException as error:
        if error.status in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
            return False
        raise
    return True


async def _named(names: Iterable[str], claims: Claims) -> list[Object]:
    found = [await claims.read(name) for name in names]
    return [claim for claim in found if claim is not None]


def _rows(namespace: str, kubeconfig: Path | None) -> list[Row]:
    from ..storage.inventory import rows_of

    async def look(claims: Claims) -> list[Row]:
        return rows_of(await claims.all(), await claims.pods())

    return _run(namespace, kubeconfig, look)


def _show(rows: Sequence[Row], output: Output) -> None:
    if output is Output.JSON:
        print_json([asdict(row) for row in rows])
        return
    lines = [_HEADINGS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _cells(row: Row) -> tuple[str, ...]:
    used = f"{row.last_used:%Y-%m-%d}" if row.last_used else ""
    owner = row.user or row.shared
    cells = (row.name, row.claim, owner, row.server, row.size, row.phase, used, ",".join(row.pods))
    return tuple(cell or "-" for cell in cells)


def _settings(config: Path) -> StorageSettings:
    from ..offline.configuration import read_configuration
    from ..profiles.finding import ConfigurationError

    try:
        settings = read_configuration(config).settings.storage
    except (ConfigurationError, ValueError) as error:
        cannot(error)
    if settings is None:
        cannot(ValueError(f"{config} has no section storage"))
    return settings


def _run(namespace: str, kubeconfig: Path | None, work: Callable[[Claims], Awaitable[T]]) -> T:
    """Ask the cluster; end with words where it does not answer."""
    import asyncio

    import aiohttp
    from kubernetes_asyncio.client.exceptions import ApiException
    from kubernetes_asyncio.config import ConfigException

    from ..failure import api_failure

    async def run() -> T:
        async with _claims(namespace, kubeconfig) as claims:
            return await work(claims)

    try:
        return asyncio.run(run())
    except ApiException as error:
        refusal = api_failure(error.status or 0, error.body or error.reason or "")
        cannot(ValueError(refusal.detail))
    except ConfigException as error:
        cannot(ValueError(f"no cluster is known: {error}"))
    except (aiohttp.ClientError, OSError) as error:
        cannot(ValueError(f"the cluster does not answer: {type(error).__name__}: {error}"))


@asynccontextmanager
async def _claims(namespace: str, kubeconfig: Path | None) -> AsyncIterator[Claims]:
    from kubernetes_asyncio.client import CoreV1Api

    from ..kube import connected
    from ..storage.cluster import Claims

    async with connected(namespace, kubeconfig) as (client, inside):
        yield Claims(CoreV1Api(client), inside, timeout=30)
