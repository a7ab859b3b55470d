"""One culler's cycles in a process of their own: ``python -m benchmarks.culler_cycle``."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import resource
import time
from collections.abc import Awaitable, Callable

HOUR = 3600


def ours(url: str) -> Callable[[], Awaitable[None]]:
    """Give a pass of jhext's culler, as its service makes it."""
    from jhext.culler.service import Service  # noqa: PLC0415 - the other one shall not pay for it
    from jhext.culler.source import Given  # noqa: PLC0415

    written = {"timeout": HOUR, "profiles": {"small": {"timeout": HOUR}}}
    service = Service(Given(json.dumps(written)), url, "token")
    rules = service.read()

    async def cycle() -> None:
        await service.run_pass(rules)

    return cycle


def peer(url: str) -> Callable[[], Awaitable[None]]:
    """Give a cycle of jupyterhub-idle-culler, as its application makes it."""
    from jupyterhub_idle_culler import cull_idle  # noqa: PLC0415 - as above

    async def cycle() -> None:
        try:
            await cull_idle(url, "token", HOUR, logging.getLogger("peer"), concurrency=50)
        except Exception as error:
            print(type(error).__name__, flush=True)

    return cycle


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=["ours", "peer"])
    parser.add_argument("url")
    parser.add_argument("--cycles", type=int, default=3)
    given = parser.parse_args()
    os.environ.setdefault("JUPYTERHUB_REQUEST_TIMEOUT", "60")
    cycle = {"ours": ours, "peer": peer}[given.which](given.url)
    for _ in range(given.cycles):
        began, cpu = time.monotonic(), time.process_time()
        await cycle()
        told = {
            "cpu": time.process_time() - cpu,
            "wall": time.monotonic() - began,
            "peak": peak_mib(),
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
