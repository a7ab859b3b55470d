"""Fifty people log in at once, with a directory that takes its time: ``python -m benchmarks.ldap``.

ldapauthenticator and jhext ask the same server, in turn: a stand-in in a process of its own that
waits before each answer, and OpenLDAP behind a line that does, where that is installed.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from typing import Any

import ldapauthenticator
import trustme
from rich.console import Console
from rich.table import Table
from traitlets.config import Config

import jhext
from jhext.demo.processes import Children
from tests.cluster.line import Line
from tests.directories import slapd

DELAY = 0.05
LOGINS = 50
GROUPS = 20
SIDES = (ldapauthenticator.LDAPAuthenticator, jhext.LDAPAuthenticator)
PEOPLE = "ou=people,dc=example,dc=org"
TEMPLATE = {"bind_dn_template": "uid={username}," + PEOPLE}
LOOKUP = {
    "lookup_dn": True,
    "user_search_base": PEOPLE,
    "user_attribute": "uid",
    "lookup_dn_user_dn_attribute": "uid",
}
ALLOWED = [f"cn=group{number},ou=groups,dc=example,dc=org" for number in range(GROUPS)]


@dataclass(frozen=True)
class Measured:
    """What logins took.

    Parameters
    ----------
    block
        Seconds for which nothing else could run, at most.
    rate
        Logins in a second.
    operations
        What the directory was asked for one login; None where nobody counts.
    """

    block: float
    rate: float
    operations: float | None


class Standin:
    """The stand-in for a server."""

    account = (f"uid=user0,{PEOPLE}", "user0-pw")
    names = [f"user{number}" for number in range(LOGINS)]

    def __init__(self, process: Popen[str]) -> None:
        self._process = process
        self.port = int(self._line())

    def asked(self) -> int:
        """Say how many operations there were."""
        assert self._process.stdin
        print(file=self._process.stdin, flush=True)
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


class Slow:
    """OpenLDAP behind a slow line."""

    account = (slapd.HUB, slapd.HUB_PASSWORD)
    names = ["alice"] * LOGINS

    def __init__(self, port: int) -> None:
        self.port = port

    def asked(self) -> None:
        """Nobody counts."""


@contextmanager
def standin() -> Iterator[Standin]:
    command = [sys.executable, "-m", "tests.ldap_wire", f"--delay={DELAY}"]
    command += [f"--people={LOGINS}", f"--groups={GROUPS}"]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=Path(__file__).parents[1]) as run:
        try:
            yield Standin(run)
        finally:
            run.terminate()


@contextmanager
def slow_slapd() -> Iterator[Slow]:
    with TemporaryDirectory(prefix="jl-", dir="/tmp") as folder, Children() as children:
        server = slapd.Slapd(children, Path(folder), "rfc2307bis", trustme.CA())
        with _line_to(server.url) as port:
            yield Slow(port)


@contextmanager
def _line_to(url: str) -> Iterator[int]:
    """Lay the line in a loop of its own: ldapauthenticator blocks the one that it runs in."""
    line, ready, done = Line(url, delay=DELAY), threading.Event(), threading.Event()

    async def lay() -> None:
        async with line:
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=[lay()])
    thread.start()
    try:
        ready.wait()
        yield line.port
    finally:
        done.set()
        thread.join()


async def measure(kind: type[Any], traits: dict[str, Any], server: Standin | Slow) -> Measured:
    section = {"server_address": "127.0.0.1", "server_port": server.port, "allow_all": True}
    made = kind(config=Config(LDAPAuthenticator={**section, "tls_strategy": "insecure", **traits}))
    made.log.disabled = True

    async def log_in(name: str) -> None:
        data = {"username": name, "password": f"{name}-pw"}
        model = await made.get_authenticated_user(None, data)
        assert model["name"] == name

    await asyncio.gather(*map(log_in, server.names[:10]))  # opens what stays open
    before = server.asked()
    watch = asyncio.create_task(longest_block())
    await asyncio.sleep(0.01)
    began = time.perf_counter()
    await asyncio.gather(*map(log_in, server.names))
    took = time.perf_counter() - began
    await asyncio.sleep(0.01)
    watch.cancel()
    block = (await asyncio.gather(watch))[0]
    asked = server.asked()
    operations = None if asked is None or before is None else (asked - before) / LOGINS
    return Measured(block, LOGINS / took, operations)


async def longest_block() -> float:
    """Measure how late the loop comes back, until it is cancelled."""
    longest, before = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, before = max(longest, now - before), now
    except asyncio.CancelledError:
        return longest


def logins(server: Standin | Slow) -> dict[str, dict[str, Any]]:
    name, password = server.account
    account = {"lookup_dn_search_user": name, "lookup_dn_search_password": password}
    found: dict[str, dict[str, Any]] = {"bind": TEMPLATE, "look-up": {**LOOKUP, **account}}
    if isinstance(server, Standin):
        found["20 groups"] = {**LOOKUP, **account, "allowed_groups": ALLOWED}
    return found


async def table() -> Table:
    """Measure everything; takes some minutes, nearly all of them ldapauthenticator's."""
    made = Table(
        *("directory", "login", "longest block", "logins/s", "operations per login"),
        title=f"{LOGINS} logins at once, {DELAY * 1000:.0f} ms a step: ldapauthenticator → jhext",
    )
    with ExitStack() as stack:
        servers: dict[str, Standin | Slow] = {"stand-in": stack.enter_context(standin())}
        if slapd.is_installed():
            servers["OpenLDAP"] = stack.enter_context(slow_slapd())
        for title, server in servers.items():
            for case, traits in logins(server).items():
                theirs, ours = [await measure(kind, traits, server) for kind in SIDES]
                made.add_row(title, case, *row(theirs, ours))
    return made


def row(theirs: Measured, ours: Measured) -> Iterator[str]:
    yield f"{theirs.block:.1f} s → {ours.block * 1000:.0f} ms"
    yield f"{theirs.rate:.2f} → {ours.rate:.1f} ({ours.rate / theirs.rate:.0f} times)"
    if theirs.operations is None or ours.operations is None:
        yield "-"
    else:
        yield f"{theirs.operations:.1f} → {ours.operations:.1f}"


if __name__ == "__main__":
    Console().print(asyncio.run(table()))
