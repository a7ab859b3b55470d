"""``jhext-culler`` and ``python -m jhext.culler``: stop servers whose time is over."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from jhext.profiles.finding import ConfigurationError

from .service import Service
from .source import ENVIRONMENT, File, Given, Source

_IS_MANAGED = "JUPYTERHUB_SERVICE_NAME"
"""The variable by which JupyterHub tells a service that it runs it."""

_FORMAT = "[%(levelname).1s %(asctime)s %(name)s] %(message)s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the culler; give the exit code."""
    parser = argparse.ArgumentParser(prog="jhext-culler", description=__doc__)
    parser.add_argument(
        "--settings",
        type=Path,
        help=f"a jhext.yaml, whose section culler is read; else {ENVIRONMENT} holds that section",
    )
    parser.add_argument(
        "--url",
        default=os.environ.get("JUPYTERHUB_API_URL", "http://127.0.0.1:8081/hub/api"),
        help="the hub's REST API; by default JUPYTERHUB_API_URL",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print who would be stopped and why, and end"
    )
    parser.add_argument("--debug", action="store_true", help="log each verdict")
    given = parser.parse_args(arguments)
    if not (token := os.environ.get("JUPYTERHUB_API_TOKEN")):
        parser.error("JUPYTERHUB_API_TOKEN is not set")
    source: Source
    if given.settings is not None:
        source = File(given.settings)
    elif ENVIRONMENT in os.environ:
        source = Given(os.environ[ENVIRONMENT])
    else:
        parser.error(f"there is neither --settings nor {ENVIRONMENT}")
    logging.basicConfig(level=logging.DEBUG if given.debug else logging.INFO, format=_FORMAT)
    service = Service(source, given.url, token)
    if given.dry_run:
        service.log.setLevel(logging.DEBUG if given.debug else logging.WARNING)
        return asyncio.run(service.dry_run(Console(emoji=False)))
    try:
        asyncio.run(_run(service))
    except ConfigurationError as error:
        service.log.critical("%s", error)
        return 1
    return 0


async def _run(service: Service) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.end)
    watching = asyncio.create_task(_end_with_the_hub(service))
    try:
        await service.run()
    finally:
        watching.cancel()


async def _end_with_the_hub(service: Service) -> None:
    """End a service that a hub has started when the hub is gone: a new one starts its own."""
    hub = os.getppid()
    while _IS_MANAGED not in os.environ or os.getppid() == hub:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(1)
    service.log.warning("The hub is gone")
    service.end()


if __name__ == "__main__":
    raise SystemExit(main())
