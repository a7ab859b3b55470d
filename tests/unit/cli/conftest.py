"""Commands, run where their files are, with the output that is kept beside these."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jhext.cli import application

GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
UPDATE = bool(os.environ.get("JHEXT_UPDATE_GOLDEN"))


@dataclass
class Ran:
    """How a command ended, and what it said."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass
class Shell:
    """Runs commands in a folder."""

    folder: Path

    def write(self, **files: str) -> None:
        """Write files; `__` in a name stands for the dot before its ending."""
        for name, text in files.items():
            (self.folder / name.replace("__", ".")).write_text(text)

    def __call__(self, *arguments: str) -> Ran:
        result = CliRunner().invoke(application(), list(arguments))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Run commands in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


@pytest.fixture
def expect_finding(shell: Shell) -> Callable[[str | dict[str, str], str, str], None]:
    """Check files; one finding must be at this place and suggest this, and all must have both."""

    def expect(files: str | dict[str, str], place: str, suggestion: str) -> None:
        written = {"jhext.yaml": files} if isinstance(files, str) else files
        for name, text in {**written, "groups": "staff"}.items():
            (shell.folder / name).write_text(text)
        file = "hub.py" if "hub.py" in written else "jhext.yaml"
        ran = shell("check", file, "--groups", "groups", "--output", "json")
        assert ran.code == 1
        found = ran.json["findings"]
        assert all(item["file"] and item["line"] > 0 and item["suggestion"] for item in found)
        told = [(f"{item['file']}:{item['line']}", item["suggestion"]) for item in found]
        assert any(where == place and suggestion in text for where, text in told), told

    return expect


@pytest.fixture
def golden(shell: Shell) -> Callable[..., None]:
    """Compare what a command says with what is kept; JHEXT_UPDATE_GOLDEN=1 keeps it anew."""

    def compare(folder: str, name: str, *arguments: str, code: int) -> None:
        kept = GOLDEN / folder
        shutil.copytree(kept, shell.folder, dirs_exist_ok=True)
        ran = shell(*arguments)
        for stream, text in (("stdout", ran.stdout), ("stderr", ran.stderr)):
            path = kept / f"{name}.{stream}"
            if UPDATE:
                path.write_text(text) if text else path.unlink(missing_ok=True)
            assert text == (path.read_text() if path.exists() else "")
        assert ran.code == code

    return compare
