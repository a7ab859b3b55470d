"""Start the demo's hub with all that it needs, use it, and leave nothing behind."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from . import check
from .accounts import load
from .hub import LocalHub, start_cluster
from .processes import Children, StartError, tail
from .proxy import find_proxy
from .report import Report
from .state import State, open_state
from .table import who_may_start_what

_BY_SIGNAL = 128
"""What shells add the number of a signal to, for the exit code of a program it has ended."""


def serve(folder: Path, port: int, console: Console) -> int:
    """Run the demo until it is told to end; return the exit code."""
    try:
        with _demo(folder, port, console) as (state, hub):
            console.print(who_may_start_what(state))
            _say(console, f"Log in at {hub.url}")
            _say(console, f"The hub writes to {hub.log}; the rules are in {state.profiles}.")
            _say(console, f"Ctrl-C ends everything. Then {state.folder} can be deleted.")
            while True:
                hub.children.watch()
                time.sleep(1)
    except KeyboardInterrupt:
        _say(console, "Everything has ended.")
        return 0
    except StartError as error:
        _say(console, str(error))
        return 1


def prove(folder: Path, port: int, console: Console) -> int:
    """Run the demo, try it with everybody, end it; return the exit code."""
    report = Report(console)
    try:
        with _demo(folder, port, console) as (state, hub):
            asyncio.run(check.check(hub.url, hub.kubeconfig, load(state.accounts_file), report))
            if report.failed:
                _say(console, tail(hub.log))
    except KeyboardInterrupt:
        return _BY_SIGNAL + signal.SIGINT
    except StartError as error:
        _say(console, str(error))
        return 1
    _say(console, f"{report.passed} steps went well, {report.failed} failed.")
    return 1 if report.failed else 0


@contextmanager
def _demo(folder: Path, port: int, console: Console) -> Iterator[tuple[State, LocalHub]]:
    """Start everything, and end it afterwards."""
    with _ended_by_signals(), open_state(folder) as state, Children() as children:
        with console.status("The embedded cluster is starting"):
            kubeconfig = start_cluster(children, state.folder / "cluster")
        with console.status("The proxy is being looked for, and installed if need be"):
            proxy = find_proxy(state.folder / "node")
        hub = LocalHub(
            children,
            state.folder / "hub",
            state.hub_config,
            kubeconfig,
            proxy,
            port,
            env={"JUPYTERHUB_CRYPT_KEY": state.crypt_key_file.read_text()},
        )
        with console.status("The hub is starting"):
            hub.start()
        _say(console, f"The hub runs with {proxy.description}.")
        try:
            yield state, hub
        finally:
            _say(console, "Ending everything, which takes a few seconds.")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the program the way an exception does: with all clearing up."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(_BY_SIGNAL + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(console: Console, text: str) -> None:
    """Print a line as it is, whatever brackets are in it, and without breaking paths."""
    console.print(Text(text), soft_wrap=True)
