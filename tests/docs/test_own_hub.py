"""The second tutorial, as it is written: its files, its commands, and what people then see."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from jhext.demo.client import HubClient
from jhext.demo.forms import SpawnForm
from jhext.demo.hub import environment
from jhext.demo.notebook import run_in_terminal
from jhext.demo.processes import Children, free_port, is_free

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial" / "own-hub.md"
PACKAGES = ROOT / ".ci" / "debian-packages.txt"
STEP = re.compile(
    r"^```(?:sh|\{code-block\} \w+\n:caption: (?P<caption>[^\n]+))\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
TAKEN = ("3389", "8000")
"""The ports that the page names; other programs of this machine may have them."""
PASSWORDS = {"ann": "of-ann", "ben": "of-ben", "eve": "of-eve"}

pytestmark = pytest.mark.skipif(
    not (shutil.which("slapd", path="/usr/sbin") and shutil.which("ldapmodify")),
    reason="needs Debian's packages slapd and ldap-utils",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the uids of the pods can reach, unlike pytest's own."""
    with TemporaryDirectory(prefix="my-hub-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


class Reader:
    """Somebody who does what the page says."""

    def __init__(self, folder: Path, children: Children) -> None:
        self.folder, self.children = folder, children
        self.ports = {port: str(free_port()) for port in TAKEN}
        self.env = environment()
        self.printed: dict[str, str] = {}
        self.text = PAGE.read_text()
        self.steps = list(STEP.finditer(self.text))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['8000']}"

    def until(self, heading: str) -> None:
        """Take all steps before a heading."""
        end = self.text.index(f"\n## {heading}\n")
        while self.steps and self.steps[0].start() < end:
            self._take(self.steps.pop(0))

    def _take(self, step: re.Match[str]) -> None:
        text, caption = step["text"], step["caption"]
        for port, free in self.ports.items():
            text = text.replace(port, free)
        if caption is None:
            for line in text.splitlines():
                self._run(line)
        elif caption.startswith("terminal"):
            self._start(caption, text)
        elif caption.startswith("in "):
            self._change(self.folder / caption.removeprefix("in "), text)
        else:
            (self.folder / caption).write_text(text)
            if caption == "jupyterhub_config.py":
                self._move_ports(self.folder / caption)

    def _run(self, line: str) -> None:
        if line.startswith("apt-get"):  # what is there already, or this test would be skipped
            packages = {word for word in line.split()[2:] if not word.startswith("-")}
            assert packages <= set(PACKAGES.read_text().split())
            return
        if line.startswith(("export PATH", "mkdir /tmp", "cd /tmp")):
            return  # done by the fixture
        ran = subprocess.run(
            ["bash", "-euc", line],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        self.printed[line] = ran.stdout
        assert ran.returncode == 0, f"{line}: {ran.stdout}{ran.stderr}"

    def _start(self, terminal: str, command: str) -> None:
        child = self.children.start(
            terminal,
            ["bash", "-euc", command],
            env=self.env,
            cwd=self.folder,
            log=self.folder / f"{terminal}.log",
        )
        ready = {
            "terminal 2": lambda: not is_free(int(self.ports["3389"])),
            "terminal 3": lambda: "devcluster ready" in child.log.read_text(),
            "terminal 4": lambda: "JupyterHub is now running" in child.log.read_text(),
        }
        child.wait_until(ready[terminal], 60)

    def _change(self, file: Path, lines: str) -> None:
        """Write a piece with one line more over the piece of the file that begins like it."""
        first = lines.splitlines(keepends=True)[0]
        written = file.read_text()
        assert written.count(first) == 1
        file.write_text(written.replace(first, lines))

    def _move_ports(self, config: Path) -> None:
        more = f"""
c.JupyterHub.hub_port = {free_port()}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{free_port()}"
"""
        config.write_text(config.read_text() + more)

    async def form(self, name: str) -> tuple[str, tuple[str, ...]]:
        async with HubClient(self.url) as client:
            await client.login(name, PASSWORDS[name])
            page = (await client.get("/hub/spawn")).text
            return page, SpawnForm.parse(page).profiles


async def test_every_step(folder: Path) -> None:
    with Children() as children:
        reader = Reader(folder, children)
        reader.until("Give somebody a right")
        told = {line: text for line, text in reader.printed.items() if line.startswith("jhext")}
        assert "small" in told["jhext explain ann --groups lab"]

        assert (await reader.form("ann"))[1] == ("small",)
        assert (await reader.form("ben"))[1] == ("small", "gpu")
        page, offered = await reader.form("eve")
        assert offered == ()
        assert "There is no server you may start here" in page

        async with HubClient(reader.url) as ann:
            await ann.login("ann", PASSWORDS["ann"])
            await ann.post("/hub/spawn", {"profile": "small"})
            await ann.wait_for_server("ann")
            await ann.get("/user/ann/lab")
            await run_in_terminal(ann, "/user/ann/", "echo $NB_USER $NB_UID", until="ann 3001")
            await ann.stop_server("ann")
            assert (await ann.get("/hub/spawn?profile=gpu")).status == 403

            reader.until("Take one away")
            await ann.get("/hub/spawn?profile=gpu")
            await ann.wait_for_server("ann")
            await ann.stop_server("ann")

        reader.until("End it")
        assert (await reader.form("ben"))[1] == ("small",)


def test_all_steps_are_of_known_kinds() -> None:
    fences = re.findall(r"^```\S", PAGE.read_text(), re.MULTILINE)
    assert len(fences) == len(STEP.findall(PAGE.read_text()))
