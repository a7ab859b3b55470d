"""Print the table: ``python -m benchmarks``."""

from __future__ import annotations

import asyncio

from rich.console import Console

from .nowhere import no_cluster


def main() -> None:
    with no_cluster():
        from .cases import rows, table  # noqa: PLC0415 - not before the kubeconfig is there

        Console().print(table(asyncio.run(rows())))


main()
