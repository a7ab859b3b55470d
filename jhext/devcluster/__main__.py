"""``python -m jhext.devcluster``: run the embedded cluster until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from .address import AddressError
from .cluster import DevCluster, StateInUseError


def _quantity(text: str) -> tuple[str, str]:
    name, separator, amount = text.partition("=")
    if not separator or not name or not amount:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=QUANTITY")
    return name, amount


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jhext.devcluster", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="directory for everything")
    parser.add_argument("--namespace", default="default", help="the kubeconfig's namespace")
    parser.add_argument("--port", type=int, default=0, help="of the API; 0 for a free one")
    parser.add_argument(
        "--capacity",
        type=_quantity,
        action="append",
        default=[],
        metavar="NAME=QUANTITY",
        help="what the node has, such as nvidia.com/gpu=2; may be repeated",
    )
    return parser


async def _run(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with DevCluster(
        options.state,
        namespace=options.namespace,
        port=options.port,
        capacity=dict(options.capacity),
    ) as cluster:
        print(f"devcluster ready: {cluster.url} KUBECONFIG={cluster.kubeconfig}", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    try:
        asyncio.run(_run(_parser().parse_args()))
    except (AddressError, StateInUseError) as problem:
        sys.exit(f"devcluster: {problem}")
