"""``jhext demo`` as a person runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from jhext.demo import accounts
from jhext.demo.client import HubClient
from jhext.demo.forms import SpawnForm
from jhext.demo.notebook import run_cell, run_in_terminal

ROOT = Path(__file__).parents[2]
JHEXT = Path(sys.executable).with_name("jhext")


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder that the uids of the pods can reach, unlike pytest's own."""
    with TemporaryDirectory(prefix="jhext-demo-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "state"


@dataclass(frozen=True)
class Running:
    """A demo that waits for Ctrl-C."""

    process: subprocess.Popen[str]
    state: Path
    printed: Path

    @property
    def url(self) -> str:
        found = re.search(r"Log in at (http://\S+)", self.printed.read_text())
        return found[1] if found else ""

    @property
    def password(self) -> str:
        return accounts.load(self.state / "accounts.json")["alice"].password.get_secret_value()


@contextmanager
def running(state: Path, jhext: Path = JHEXT) -> Iterator[Running]:
    printed = state.with_name("printed")
    with (
        printed.open("w") as output,
        subprocess.Popen(
            [jhext, "demo", "--state", state, "--port", "0"],
            stdout=output,
            stderr=output,
            text=True,
            env={**os.environ, "COLUMNS": "120"},
            # As it is for what a script runs in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        ) as process,
    ):
        demo = Running(process, state, printed)
        try:
            while not demo.url:
                assert process.poll() is None, printed.read_text()
                time.sleep(0.1)
            yield demo
        finally:
            process.terminate()


DETACHED = ("nohup {} &", "setsid {} &", "(setsid nohup {} &);")
"""Ways in which a program outlives the terminal that it was started in."""


async def start_much(demo: Running) -> str:
    """Start a server with a kernel, and what a person may leave behind; return a name for that."""
    mark = f"left-behind-{uuid.uuid4().hex}"
    script = f"import time; '{mark}'; time.sleep(600)"
    async with HubClient(demo.url) as alice:
        await alice.login("alice", demo.password)
        await alice.post("/hub/spawn", {"profile": "small"})
        await alice.wait_for_server("alice")
        await alice.get("/user/alice/lab")
        await alice.request("POST", "/user/alice/api/kernels", {})
        for how in DETACHED:
            line = how.format(f'python -c "{script}"') + " echo do''ne"
            await run_in_terminal(alice, "/user/alice/", line, until="done")
    return mark


def processes_of(demo: Running, mark: str) -> list[psutil.Process]:
    """Return all that the demo has started, however it has detached itself."""
    found = psutil.Process(demo.process.pid).children(recursive=True)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = " ".join(process.cmdline())
            if process not in found and (mark in words or str(demo.state) in words):
                found.append(process)
    return found


ENDS = [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]


@pytest.mark.parametrize(("number", "code"), ENDS, ids=str)
async def test_leaves_no_process_behind(state: Path, number: signal.Signals, code: int) -> None:
    with running(state) as demo:
        mark = await start_much(demo)
        started = processes_of(demo, mark)
        detached = [process for process in started if mark in " ".join(process.cmdline())]
        assert len(detached) == len(DETACHED)
        demo.process.send_signal(number)
        assert demo.process.wait(60) == code
        if number == signal.SIGKILL:  # nothing could wait for the rest to end
            psutil.wait_procs(started, timeout=60)
        left = [process for process in started if process.is_running()]
        assert left == []


async def test_again_in_the_same_folder(state: Path) -> None:
    with running(state) as demo:
        before = demo.password
        await run_as_alice(demo, "(pathlib.Path.home() / 'kept').write_text('kept')")
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(60) == 0
    with running(state) as demo:
        assert demo.password == before
        assert before in demo.printed.read_text()
        async with HubClient(demo.url) as alice:
            assert (await alice.login("alice", before)).url.path == "/hub/home"
        read = "print((pathlib.Path.home() / 'kept').read_text())"
        assert (await run_as_alice(demo, read)).strip() == "kept"


async def run_as_alice(demo: Running, code: str) -> str:
    """Start alice's server and run a cell in it; return what it printed."""
    async with HubClient(demo.url) as alice:
        await alice.login("alice", demo.password)
        await alice.post("/hub/spawn", {"profile": "small"})
        await alice.wait_for_server("alice")
        await alice.get("/user/alice/lab")
        return await run_cell(alice, "/user/alice/", f"import pathlib; {code}")


def test_check_succeeds(state: Path) -> None:
    done = check(state)
    assert done.returncode == 0, done.stdout
    assert "✗" not in done.stdout
    for line in ("alice starts small", "bob starts gpu, GPUs: two", "eve is told", "ada, an admin"):
        assert f"✓ {line}" in done.stdout


def test_check_fails_when_the_rules_are_wrong(state: Path) -> None:
    with running(state) as demo:
        demo.process.send_signal(signal.SIGINT)
    rules = state / "jhext.yaml"
    closed = re.sub(r"allowed_groups: .*", "allowed_users: [nobody]", rules.read_text())
    rules.write_text(closed.replace("allow_if: claims.affiliation == 'staff'", "allow_all: true"))
    with (state / "jupyterhub_config.py").open("a") as config:
        config.write("c.KubeSpawner.cmd = ['sleep', '600']\nc.KubeSpawner.http_timeout = 1\n")

    done = check(state)
    assert done.returncode == 1
    assert "✗ alice starts small" in done.stdout
    assert "✗ alice is refused staff" in done.stdout
    assert "hub.log: " in done.stdout


def check(state: Path) -> subprocess.CompletedProcess[str]:
    command = [JHEXT, "demo", "--check", "--state", state]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """An environment in which jhext is installed from a wheel; the rest is taken from this one."""
    if not (ROOT / "jhext").exists():
        pytest.skip("not on an installed wheel: everything here is run from one")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, ROOT], check=True)
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    into_venv = [*pip, "--python", venv / "bin/python", "install", "--no-deps"]
    subprocess.run([*into_venv, *tmp_path.glob("*.whl")], check=True)
    (packages,) = venv.glob("lib/python*/site-packages")
    # an editable jhext does not come along, since its own .pth file is not read there
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    where = [venv / "bin/python", "-P", "-c", "import jhext; print(jhext.__file__)"]
    found = subprocess.run(where, capture_output=True, text=True, check=True).stdout
    assert found.startswith(str(packages))
    return venv


async def test_from_a_wheel(state: Path, wheel: Path) -> None:
    """What is not Python is in the wheel, too."""
    with running(state, wheel / "bin/jhext") as demo:
        async with HubClient(demo.url) as alice:
            await alice.login("alice", demo.password)
            form = SpawnForm.parse((await alice.get("/hub/spawn")).text)
    assert form.profiles == ("small", "medium")
