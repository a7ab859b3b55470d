"""A server process of the test cluster: started with a log, waited for, stopped by its pid."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class StartError(RuntimeError):
    """A server ended or was not ready in time; the message ends with its last log lines."""


def free_port(address: str) -> int:
    """Return a TCP port that nobody listens on at `address` now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(ready: Callable[[], bool], what: str, seconds: float) -> None:
    """Return as soon as `ready()` is true.

    Raises
    ------
    StartError
        When that takes longer than `seconds`.
    """
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise StartError(f"{what} after {seconds:.0f} s: still not so")
        time.sleep(0.1)


@contextmanager
def server(
    name: str,
    command: Sequence[str],
    directory: Path,
    ready: Callable[[], bool],
    *,
    seconds: float = 60,
    end: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` until the block ends; its output goes to `<name>.log` in `directory`.

    It is ended by the signal `end`, also when pytest dies; it has a session of its own, so that
    Ctrl-C reaches pytest only and the servers end in order.
    """
    setpriv = shutil.which("setpriv")
    guard = [setpriv, "--pdeathsig", end.name.removeprefix("SIG"), "--"] if setpriv else []
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*guard, *command],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def ready_or_dead() -> bool:
        if process.poll() is not None:
            raise StartError(f"{name} ended with status {process.returncode}")
        return ready()

    try:
        try:
            wait_for(ready_or_dead, f"{name} is ready", seconds)
        except StartError as error:
            tail = log.read_text(errors="replace").splitlines()[-15:]
            raise StartError("\n".join([str(error), *tail])) from None
        yield process
    finally:
        _stop(process, end)


def _stop(process: subprocess.Popen[bytes], end: signal.Signals) -> None:
    process.send_signal(end)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
