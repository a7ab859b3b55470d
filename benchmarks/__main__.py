"""Print the tables: ``python -m benchmarks``."""

from __future__ import annotations

import asyncio

from rich.console import Console

from .nowhere import no_cluster


async def main() -> None:
    from . import cases, files, ldap  # noqa: PLC0415 - not before the kubeconfig is there

    console = Console()
    console.print(cases.table(await cases.rows()))
    console.print(await files.table())
    console.print(await ldap.table())


with no_cluster():
    asyncio.run(main())
