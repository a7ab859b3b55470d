"""Start the demo's hub with all that it needs, use it, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from ..devcluster.credentials import CredentialCheck, Credentials
from ..profiles.finding import ConfigurationError
from . import directory
from .accounts import load
from .check import check
from .hub import LocalHub, reach_directly, start_cluster
from .processes import Children, StartError
from .proxy import find_proxy
from .report import Report
from .state import State, open_state
from .table import read_catalog, who_may_start_what

_CAPACITY = ("cpu=64", "memory=256Gi", "nvidia.com/gpu=8")
"""What the embedded cluster pretends to have, so that all the demo's profiles fit."""

_BY_SIGNAL = 128
"""What shells add the number of a signal to, for the exit code of a program it has ended."""


@dataclass(frozen=True)
class Demo:
    """A demo that runs."""

    state: State
    hub: LocalHub
    console: Console


def run(folder: Path, port: int, console: Console, use: Callable[[Demo], int]) -> int:
    """Start a demo, use it, end it; return the exit code."""
    reach_directly(os.environ)
    try:
        with _ended_by_signals(), _started(folder, port, console) as demo:
            return use(demo)
    except KeyboardInterrupt:
        return _BY_SIGNAL + signal.SIGINT
    except (StartError, ConfigurationError) as error:
        _say(console, str(error))
        return 1


def serve(demo: Demo) -> int:
    """Tell how to log in, and wait for Ctrl-C."""
    catalog = read_catalog(demo.state.profiles)
    table = who_may_start_what(catalog, load(demo.state.accounts_file).values())
    demo.console.print(table)
    _say(demo.console, f"Log in at {demo.hub.url}")
    _say(demo.console, f"The hub writes to {demo.hub.log}; the rules are in {demo.state.profiles}")
    _say(demo.console, f"Ctrl-C ends everything. Then {demo.state.folder} can be deleted.")
    try:
        while True:
            demo.hub.children.watch()
            time.sleep(1)
    except KeyboardInterrupt:
        return 0


def prove(demo: Demo) -> int:
    """Try everything with everybody."""
    report = Report(demo.console, [demo.hub.log, demo.state.cluster_log])
    accounts = load(demo.state.accounts_file)
    asyncio.run(check(demo.hub.url, demo.hub.kubeconfig, accounts, report))
    _say(demo.console, f"{report.passed} steps went well, {report.failed} failed.")
    return 1 if report.failed else 0


@contextmanager
def _started(folder: Path, port: int, console: Console) -> Iterator[Demo]:
    """Start everything, and end it afterwards."""
    with open_state(folder) as state, Children() as children:
        read_catalog(state.profiles)  # a mistake in it is told before anything starts
        with console.status("Starting the embedded cluster"):
            kubeconfig = start_cluster(children, state.cluster_folder, *_CAPACITY)
            _tell_whether_uids_work(state, console)
        login, env = _directory(state, children, console)
        with console.status("Looking for a proxy, or installing it"):
            proxy = find_proxy(state.folder / "node")
        hub = LocalHub(
            children,
            state.folder / "hub",
            state.hub_config,
            kubeconfig,
            proxy,
            port,
            env={"JUPYTERHUB_CRYPT_KEY": state.crypt_key_file.read_text(), **env},
        )
        with console.status("Starting the hub"):
            hub.start()
        _say(console, f"The hub runs with {proxy.description}; people log in with {login}.")
        try:
            yield Demo(state, hub, console)
        finally:
            _say(console, "Ending everything, which takes a few seconds.")


def _directory(state: State, children: Children, console: Console) -> tuple[str, Mapping[str, str]]:
    """Start OpenLDAP where it is installed; say what people log in with, and tell the hub."""
    if directory.is_installed():
        try:
            with console.status("Starting OpenLDAP"):
                people = load(state.accounts_file).values()
                started = directory.start_directory(children, state.folder / "directory", people)
        except StartError as error:
            _say(console, f"Note: {error}")
        else:
            return "OpenLDAP", started.env
    return "passwords from a file, since OpenLDAP is not installed (slapd)", {}


def _tell_whether_uids_work(state: State, console: Console) -> None:
    """Say so where root cannot give each person's server a uid of its own."""
    if os.geteuid() != 0:
        return
    somebody = Credentials(next(iter(load(state.accounts_file).values())).uid, 100)
    problem = asyncio.run(CredentialCheck().problem(somebody, state.cluster_folder))
    if problem:
        _say(console, f"Note: all servers run as root, since uid {somebody.uid} cannot: {problem}.")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let signals end the program the way an exception does: with all clearing up."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(_BY_SIGNAL + number)

    # Scripts have SIGINT ignored by what they run in the background.
    ends = {signal.SIGTERM: end, signal.SIGHUP: end, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in ends.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(console: Console, text: str) -> None:
    """Print a line as it is, whatever brackets are in it, and without breaking paths."""
    console.print(Text(text), soft_wrap=True)
