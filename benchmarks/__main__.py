"""Print tables of what jhext costs beside others: ``python -m benchmarks [TABLE ...]``."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from .nowhere import no_cluster


def spawner() -> Table:
    """Forms, options, manifests and memory beside KubeSpawner."""
    from . import cases  # noqa: PLC0415 - not before the kubeconfig is there

    return cases.table(asyncio.run(cases.rows()))


def files() -> Table:
    """Profiles in files beside the same ones in profile_list."""
    from . import files as module  # noqa: PLC0415

    return asyncio.run(module.table())


def ldap() -> Table:
    """Fifty logins at once beside ldapauthenticator."""
    from . import ldap as module  # noqa: PLC0415

    return asyncio.run(module.table())


def culler() -> Table:
    """The culler itself beside idle-culler; `python -m benchmarks.culler` has 50,000 people."""
    from . import culler as module  # noqa: PLC0415

    return module.table([1000, 10_000])


def hub() -> Table:
    """What both make a real hub of 1,000 do; `python -m benchmarks.culler_real` has 10,000."""
    from . import culler_real  # noqa: PLC0415

    return culler_real.table(1000)


TABLES: dict[str, Callable[[], Table]] = {
    made.__name__: made for made in (spawner, files, ldap, culler, hub)
}


def main() -> None:
    told = "\n".join(f"  {name:8} {made.__doc__}" for name, made in TABLES.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{__doc__}\n\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("table", nargs="*", choices=list(TABLES), help="which; by default all")
    wanted = parser.parse_args().table or TABLES
    with no_cluster():
        for name in wanted:
            Console(width=140).print(TABLES[name]())


if __name__ == "__main__":
    main()
