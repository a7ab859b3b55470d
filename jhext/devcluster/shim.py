"""The first process of a container: it starts the command, and leaves nothing behind when it ends.

Run as ``python shim.py COMMAND [ARGUMENT]…`` with a pipe as standard input, and imports nothing
but the standard library, since it runs as the pod's user. It stands in for what a PID namespace
does: processes that the command orphans become its children (Linux), and

- when the command ends, all that are left are killed, and the shim exits like the command
  (128 + the number of a signal);
- SIGTERM goes to the command's process group;
- when standard input ends, everything is killed: the cluster closes the pipe to say so, and the
  kernel closes it when the cluster has died, by whatever cause.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
CANNOT_START = 128
"""The exit code of a container whose command cannot be executed, as containerd has it."""


def main(command: list[str]) -> int:
    """Run ``command`` and return the code to exit with."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, _only_wake)
    child = _start(command)
    while True:
        readable, _, _ = select.select([woken, 0], [], [])
        if woken in readable and signal.SIGTERM in os.read(woken, 64):
            _signal_group(child, signal.SIGTERM)
        status = _reap(child)
        if status is None and 0 in readable and not os.read(0, 64):
            _signal_group(child, signal.SIGKILL)
            status = 128 + signal.SIGKILL
        if status is not None:
            _kill_descendants()
            return status


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _only_wake(number: int, frame: object) -> None:
    """Handle a signal by nothing but the byte that set_wakeup_fd writes."""


def _start(command: list[str]) -> int:
    shim = os.getpid()
    child = os.fork()
    if child:
        return child
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # should the shim itself be killed
    if os.getppid() != shim:
        os._exit(CANNOT_START)
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGPIPE):  # Python ignores SIGPIPE
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is what is meant here
    except OSError as error:
        print(f"exec {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(CANNOT_START)


def _reap(child: int) -> int | None:
    """Collect every process that has ended; return the child's exit code if it is one of them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else 128 - ended


def _signal_group(child: int, number: int) -> None:
    try:
        os.killpg(child, number)
    except ProcessLookupError:
        # Between fork and setsid the group does not exist yet.
        try:
            os.kill(child, number)
        except ProcessLookupError:
            return


def _kill_descendants() -> None:
    """Kill what the command has left behind, and again what that has started meanwhile."""
    while sum(_kill(pid) for pid in _descendants()):
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _kill(pid: int) -> bool:
    """Kill a process; return False if it is gone, or has become another user's as by sudo."""
    try:
        os.kill(pid, signal.SIGKILL)
    except (PermissionError, ProcessLookupError):
        return False
    return True


def _descendants() -> list[int]:
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # The name in parentheses may hold anything, also parentheses and spaces.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" or int(fields[1]) == os.getpid():
            parents[int(entry.name)] = int(fields[1])
    found: list[int] = []
    generation = {os.getpid()}
    while generation:
        generation = {pid for pid, parent in parents.items() if parent in generation}
        found.extend(generation)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
