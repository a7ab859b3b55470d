"""Child processes, none of which outlives the ``with`` block that started them."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class StartError(Exception):
    """A process ended, or was not ready in time; the text has the last lines of its log."""


@dataclass(frozen=True)
class Child:
    """A running program, the leader of its own session, and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """
        Wait until ``ready()`` says so.

        Raises
        ------
        StartError
            The program ended first, or the time was over.
        """
        end = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise StartError(f"{self.name} ended before it was ready.\n{tail(self.log)}")
            if time.monotonic() > end:
                raise StartError(f"{self.name} is not ready after {seconds:g} s.\n{tail(self.log)}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End the program and all that descends from it without a warning, as a crash does."""
        family = descendants(self.process.pid) if self.process.poll() is None else set()
        self.process.kill()
        self.process.wait()
        end_all(family, [psutil.Process.kill])

    def stop(self, seconds: float = 15) -> None:
        """Ask the program to end, give it time to, then end it and all that descends from it."""
        if self.process.poll() is not None:
            return  # the number may be another program's by now
        family = descendants(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            family |= descendants(self.process.pid)
            self.process.kill()
            self.process.wait()
        end_all(family)


class Children:
    """The programs started in a ``with`` block; they are stopped at its end, last one first."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._started: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with undisturbed():
            self._stack.close()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        umask: int = -1,
    ) -> Child:
        """Start a program that appends what it prints to ``log``."""
        with undisturbed(), log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 (the callers' own commands, and no shell)
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                umask=umask,
                start_new_session=True,  # a Ctrl-C in the terminal reaches only the parent
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
            child = Child(name, process, log)
            self._stack.callback(child.stop)
            self._started.append(child)
        return child

    def watch(self) -> None:
        """
        Look whether all of them run.

        Raises
        ------
        StartError
            One has ended by itself.
        """
        for child in self._started:
            if child.process.poll() is not None:
                raise StartError(f"{child.name} has ended.\n{tail(child.log)}")


def _end_with_parent() -> None:
    """
    Have the kernel kill this one too when the parent is killed and cannot clear up any more.

    SIGTERM would leave a hub that tries for minutes to stop servers in a cluster that has gone.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def descendants(pid: int) -> set[psutil.Process]:
    """Return all processes that descend from this one now."""
    try:
        return set(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return set()


_Order = Callable[[psutil.Process], None]
_POLITELY_THEN_NOT: tuple[_Order, ...] = (psutil.Process.terminate, psutil.Process.kill)


def end_all(
    processes: Iterable[psutil.Process],
    orders: Sequence[_Order] = _POLITELY_THEN_NOT,
    seconds: float = 3,
) -> None:
    """End these processes, by one order after the other, each for those that are left."""
    for order in orders:
        alive = [process for process in processes if process.is_running()]
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                order(process)
        _, processes = psutil.wait_procs(alive, timeout=seconds)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """
    Keep the signals that end a program waiting, so that nothing is started or stopped half way.

    Blocking or ignoring them would be inherited by what is started meanwhile; a handler is not.
    """
    waiting: list[int] = []
    before = {
        number: signal.signal(number, lambda got, _: waiting.append(got))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in waiting:
            signal.raise_signal(late)


def tail(log: Path, lines: int = 25) -> str:
    """Return the last lines of a log, under a line that names it."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join([f"The last lines of {log}:", *text.splitlines()[-lines:]])


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Tell whether nothing listens on a TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
