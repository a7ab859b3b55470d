"""Print what the culler takes beside jupyterhub-idle-culler: ``python -m benchmarks.culler``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Case:
    """A hub, and what is looked at when both cullers are let loose on it."""

    work: str
    hub: tuple[str, ...]
    cycles: int = 3


@dataclass(frozen=True)
class Taken:
    """What some cycles took: medians, and what the hub has seen of all of them."""

    cpu: float
    wall: float
    peak: float
    stopped: int
    requests: int


def cases(sizes: list[int]) -> list[Case]:
    steady = [
        Case(f"{size} servers, {word} idle", (f"--size={size}", f"--idle-every={every}"))
        for size in sizes
        for word, every in (("none", 0), ("1 %", 100))
    ]
    return [
        *steady,
        Case("100 idle, 1 s per stop", ("--size=100", "--idle-every=1", "--stop-seconds=1"), 1),
        Case("18 idle ones that are back", ("--size=18", "--idle-every=1", "--back"), 1),
        Case("100 idle, faults", ("--size=10000", "--idle-every=100", "--faulty"), 1),
    ]


@contextmanager
def hub(case: Case) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.culler_hub", *case.hub]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def take(which: str, url: str, cycles: int) -> Taken:
    command = [sys.executable, "-m", "benchmarks.culler_cycle", which, f"{url}/hub/api"]
    done = subprocess.run(
        [*command, f"--cycles={cycles}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    with urllib.request.urlopen(f"{url}/stats") as answer:
        seen = json.load(answer)
    cpu, wall = (median(cycle[key] for cycle in told) for key in ("cpu", "wall"))
    return Taken(cpu, wall, told[-1]["peak"], seen["stopped"], seen["requests"])


def table(sizes: list[int]) -> Table:
    """Measure everything; takes some minutes, nearly two of them idle-culler waiting for stops."""
    made = Table(
        *("work", "culler", "CPU s", "wall s", "peak MiB", "stopped", "requests"),
        title="The culler itself, with a hub that answers at once",
    )
    for case in cases(sizes):
        with hub(case) as url:
            for which in ("peer", "ours"):
                taken = take(which, url, case.cycles)
                made.add_row(
                    case.work if which == "peer" else "",
                    {"peer": "idle-culler", "ours": "jhext"}[which],
                    f"{taken.cpu:.3f}",
                    f"{taken.wall:.2f}",
                    f"{taken.peak:.1f}",
                    str(taken.stopped),
                    str(taken.requests),
                )
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[0, 1000, 10_000, 50_000])
    Console(width=120).print(table(parser.parse_args().sizes))


if __name__ == "__main__":
    main()
