"""npm's proxy where it can be had, and otherwise the one in Python, with a word about it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jhext.demo.processes import StartError
from jhext.demo.proxy import find_proxy

SCRIPT = "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
NODE = "echo v20.1.0"
NPM = f'/bin/mkdir -p "$3/{Path(SCRIPT).parent}" && : > "$3/{SCRIPT}"'


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def write(folder: Path, **scripts: str) -> None:
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)


def test_installs_npms_once(programs: Path, tmp_path: Path) -> None:
    write(programs, node=NODE, npm=NPM)
    first = find_proxy(tmp_path / "kept")
    assert first.command == (str(programs / "node"), str(tmp_path / "kept" / SCRIPT))

    (programs / "npm").unlink()
    assert find_proxy(tmp_path / "kept") == first


@pytest.mark.parametrize(
    ("scripts", "reason"),
    [
        ({}, "Node is not installed"),
        ({"node": "echo v18.19.0", "npm": NPM}, "Node is v18.19.0, which is older than 20"),
        ({"node": "exit 1", "npm": NPM}, "Node is not working"),
        ({"node": NODE}, "npm is not installed"),
        ({"node": NODE, "npm": "echo no network >&2; exit 1"}, "no network"),
        ({"node": NODE, "npm": "exit 3"}, "exit code 3"),
        ({"node": NODE, "npm": "exit 0"}, "npm could not install it"),
    ],
)
def test_else_the_one_in_python(
    programs: Path, tmp_path: Path, scripts: dict[str, str], reason: str
) -> None:
    write(programs, **scripts)
    found = find_proxy(tmp_path / "kept")
    assert found.command == (str(Path(sys.executable).with_name("configurable-http-proxy")),)
    assert reason in found.description
    assert "websocket subprotocols" in found.description  # what it lacks


def test_neither(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    with pytest.raises(StartError, match=r"jhext\[demo\]"):
        find_proxy(tmp_path / "kept")
