"""Processes, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from jhext.devcluster.credentials import Credentials
from jhext.devcluster.process import Command, Process

from .conftest import eventually

# A child in a session of its own, as a kernel or a terminal is, that does not care about SIGTERM.
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""
LEAVES_A_CHILD = f"""
import subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-c", {STUBBORN!r}], start_new_session=True, stdout=subprocess.PIPE
)
child.stdout.readline()
print(child.pid, flush=True)
"""


def command(
    program: str, *, credentials: Credentials | None = None, directory: Path = Path("/")
) -> Command:
    environment = {"PATH": os.environ["PATH"]}
    return Command((sys.executable, "-c", program), environment, directory, credentials)


def lines_of(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


async def output(log: Path, lines: int = 1) -> list[str]:
    """Return the lines of a log, when there are so many."""
    await eventually(lambda: len(lines_of(log)) >= lines)
    return lines_of(log)


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("", 0),
        ("import sys; sys.exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", 137),
        ("import os; os.kill(os.getpid(), 15)", 143),
    ],
)
async def test_exit_code(tmp_path: Path, program: str, code: int) -> None:
    process = await Process.start(command(program), tmp_path / "log")
    assert await process.wait() == code


async def test_command_that_cannot_run(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("no program")
    (tmp_path / "script").chmod(0o755)
    process = await Process.start(
        Command((str(tmp_path / "script"),), {}, tmp_path, None), tmp_path / "log"
    )
    assert await process.wait() == 128
    assert "Exec format error" in (tmp_path / "log").read_text()


async def test_what_it_is_given(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; print(os.getcwd(), sorted(os.environ), sys.stdin.read() == '',"
        "os.getpgid(0) == os.getpid(), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)"
    )
    process = await Process.start(command(program, directory=tmp_path), tmp_path / "log")
    await process.wait()
    found = (tmp_path / "log").read_text()
    assert found.startswith(f"{tmp_path} ")
    assert "LC_CTYPE" in found or "['PATH']" in found
    assert found.endswith("True True True\n")


async def test_log_is_added_to(tmp_path: Path) -> None:
    for word in ("one", "two"):
        program = f"import sys; print({word!r}, file=sys.stderr)"
        await (await Process.start(command(program), tmp_path / "log")).wait()
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


async def test_sigterm_gives_time(tmp_path: Path) -> None:
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print('up', flush=True)\n"
        "time.sleep(600)"
    )
    process = await Process.start(command(program), tmp_path / "log")
    await output(tmp_path / "log")
    assert await process.terminate(60) == 7


async def test_sigterm_reaches_the_group(tmp_path: Path) -> None:
    """A shell does not pass a signal on to the program that it waits for."""
    program = "trap '' USR1; echo up; sleep 600; exit 5"
    shell = Command(("/bin/sh", "-c", program), dict(os.environ), tmp_path, None)
    process = await Process.start(shell, tmp_path / "log")
    await output(tmp_path / "log")
    assert await process.terminate(60) == 143


async def test_killed_after_its_grace(tmp_path: Path) -> None:
    process = await Process.start(command(STUBBORN), tmp_path / "log")
    await output(tmp_path / "log")
    assert await process.terminate(0.2) == 137


async def test_grace_can_be_cut_short(tmp_path: Path) -> None:
    process = await Process.start(command(STUBBORN), tmp_path / "log")
    await output(tmp_path / "log")
    ending = asyncio.create_task(process.terminate(600))
    await asyncio.sleep(0)
    process.kill()
    assert await ending == 137


async def test_ended_already(tmp_path: Path) -> None:
    process = await Process.start(command("import sys; sys.exit(3)"), tmp_path / "log")
    await process.wait()
    assert await process.terminate(60) == 3


async def test_children_end_with_it(tmp_path: Path) -> None:
    process = await Process.start(command(LEAVES_A_CHILD), tmp_path / "log")
    assert await process.wait() == 0
    [child] = await output(tmp_path / "log")
    assert not psutil.pid_exists(int(child))


async def test_children_are_killed_with_it(tmp_path: Path) -> None:
    process = await Process.start(
        command(f"{LEAVES_A_CHILD}\nimport time; time.sleep(600)"), tmp_path / "log"
    )
    [child] = await output(tmp_path / "log")
    assert psutil.pid_exists(int(child))
    await process.terminate(0)
    assert not psutil.pid_exists(int(child))


async def test_command_does_not_outlive_its_shim(tmp_path: Path) -> None:
    process = await Process.start(
        command("import os, time; print(os.getpid(), flush=True); time.sleep(600)"),
        tmp_path / "log",
    )
    [pid] = await output(tmp_path / "log")
    child = psutil.Process(int(pid))
    child.parent().kill()
    gone, _ = await asyncio.to_thread(psutil.wait_procs, [child], 20)
    assert gone
    await process.wait()


# A parent that starts a process and is then killed.
PARENT = """
import asyncio, os, sys
from pathlib import Path
from jhext.devcluster.process import Command, Process

async def main():
    command = Command((sys.executable, "-c", sys.argv[1]), dict(os.environ), Path("/"), None)
    await Process.start(command, Path(sys.argv[2]))
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_nothing_outlives_a_killed_cluster(tmp_path: Path) -> None:
    program = f"{LEAVES_A_CHILD}\nimport os, time; print(os.getpid(), flush=True); time.sleep(600)"
    log = tmp_path / "log"
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, program, str(log))
    family = [psutil.Process(int(pid)) for pid in await output(log, 2)]
    parent.kill()
    await parent.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, 20)
    assert alive == []


async def test_ids(other_user: Credentials, tmp_path: Path) -> None:
    shell = Command(("/bin/sh", "-c", "id -u; id -g; id -G"), {}, Path("/"), other_user)
    process = await Process.start(shell, tmp_path / "log")
    assert await process.wait() == 0
    assert lines_of(tmp_path / "log") == ["2001", "2002", "2002 2003 2004"]
