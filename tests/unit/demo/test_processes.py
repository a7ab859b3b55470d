"""Nothing that the demo starts outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from jhext.demo.processes import Child, Children, StartError, free_port, is_free, undisturbed

# a parent that ends when asked to, and leaves a child that does not, in a session of its own
GRANDCHILD = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path("up").touch()
time.sleep(600)
"""
STUBBORN = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {GRANDCHILD!r}], start_new_session=True)
time.sleep(600)
"""


def start(children: Children, folder: Path, code: str) -> Child:
    return children.start(
        "It",
        [sys.executable, "-c", code],
        env=dict(os.environ),
        cwd=folder,
        log=folder / "it.log",
    )


def test_ends_grandchildren_that_do_not_want_to(tmp_path: Path) -> None:
    with Children() as children:
        child = start(children, tmp_path, STUBBORN)
        child.wait_until((tmp_path / "up").exists, 30)
        (grandchild,) = psutil.Process(child.process.pid).children(recursive=True)
        assert os.getsid(grandchild.pid) != os.getsid(child.process.pid)
    assert child.process.poll() is not None
    assert not grandchild.is_running()


def test_killed_with_all_that_it_started(tmp_path: Path) -> None:
    with Children() as children:
        child = start(children, tmp_path, STUBBORN)
        child.wait_until((tmp_path / "up").exists, 30)
        (grandchild,) = psutil.Process(child.process.pid).children(recursive=True)
        child.kill()
        assert not grandchild.is_running()


def test_ends_all_when_the_block_is_left_by_an_exception(tmp_path: Path) -> None:
    started = []

    def interrupted() -> None:
        with Children() as children:
            for _ in range(2):
                started.append(start(children, tmp_path, "import time; time.sleep(600)"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(child.process.poll() is not None for child in started)


def test_tells_the_end_of_the_log_of_what_did_not_start(tmp_path: Path) -> None:
    with Children() as children:
        child = start(children, tmp_path, "raise SystemExit('no such thing')")
        with pytest.raises(StartError, match=r"It ended(?s:.*)it\.log(?s:.*)no such thing"):
            child.wait_until(lambda: False, 30)


def test_tells_what_was_not_ready_in_time(tmp_path: Path) -> None:
    with Children() as children:
        child = start(children, tmp_path, "import time; time.sleep(600)")
        with pytest.raises(StartError, match="not ready"):
            child.wait_until(lambda: False, 0)


def test_watch_notices_an_end(tmp_path: Path) -> None:
    with Children() as children:
        child = start(children, tmp_path, "input()")  # there is no input
        child.process.wait(30)
        with pytest.raises(StartError, match="It has ended"):
            children.watch()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_waits_until_the_block_is_over(number: signal.Signals) -> None:
    seen: list[int] = []
    before = signal.signal(number, lambda got, _: seen.append(got))
    try:
        with undisturbed():
            signal.raise_signal(number)
            assert seen == []
        assert seen == [number]
    finally:
        signal.signal(number, before)


def test_what_is_started_can_be_interrupted(tmp_path: Path) -> None:
    code = "import signal; print([signal.getsignal(n) for n in (2, 15, 1)])"
    with Children() as children:
        child = start(children, tmp_path, code)
        child.process.wait(30)
    assert "SIG_IGN" not in child.log.read_text()


def test_ports() -> None:
    port = free_port()
    assert is_free(port)
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while is_free(port):
            assert server.poll() is None
            time.sleep(0.05)
    finally:
        server.kill()
        server.wait()


def test_ends_when_the_parent_is_killed(tmp_path: Path) -> None:
    code = f"""
import os, pathlib, sys, time
from jhext.demo.processes import Children
with Children() as children:
    here = pathlib.Path({str(tmp_path)!r})
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    child = children.start("It", command, env=dict(os.environ), cwd=here, log=here / "it.log")
    print(child.process.pid, flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(30)
