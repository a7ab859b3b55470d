"""An editor with the published schema completes ``jhext.yaml`` and marks errors in it.

What editors use for YAML is yaml-language-server, named by the first line of the file.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cluster.kubernetes import lock
from tests.services.editor.language_server import LanguageServer, started

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "jhext.schema.json"
FIRST_LINE = "# yaml-language-server: $schema=jhext.schema.json\n"
PACKAGE = "yaml-language-server@1.19.2"


@pytest.fixture(scope="session")
def program(pytestconfig: pytest.Config) -> Path:
    """Install the server once, and keep it."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs npm: apt-get install npm")
    assert pytestconfig.cache
    folder = Path(pytestconfig.cache.mkdir("yaml-language-server"))
    found = folder / "node_modules" / ".bin" / "yaml-language-server"
    with lock.alone(folder.with_suffix(".lock")):
        if not found.exists():
            install = [npm, "install", "--prefix", folder, "--ignore-scripts", "--no-audit"]
            ran = subprocess.run([*install, PACKAGE], capture_output=True, check=False, text=True)
            if ran.returncode:
                pytest.skip(f"npm cannot install {PACKAGE}: {ran.stderr[-500:]}")
    return found


@pytest.fixture(scope="module")
def server(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    folder = tmp_path_factory.mktemp("opened")
    shutil.copy(SCHEMA, folder)
    with started(program, folder) as server:
        yield server


@pytest.fixture
def document(server: LanguageServer) -> Path:
    return server.folder / f"{uuid4()}.yaml"


def marked(server: LanguageServer, document: Path, text: str) -> dict[str, str]:
    """Give what the editor says about a text, by the words that it marks."""
    document.write_text(FIRST_LINE + text)
    lines = document.read_text().splitlines()
    found = {}
    for item in server.open(document):
        start, end = item["range"]["start"], item["range"]["end"]
        found[lines[start["line"]][start["character"] : end["character"]]] = item["message"]
    return found


def completed(server: LanguageServer, document: Path, text: str) -> set[str]:
    """Give what the editor offers at the end of a text."""
    document.write_text(FIRST_LINE + text)
    server.open(document)
    lines = document.read_text().splitlines()
    offered: Any = server.at("textDocument/completion", document, len(lines) - 1, len(lines[-1]))
    return {item["label"] for item in offered["items"]}


PROFILE = "profiles:\n- slug: gpu\n  display_name: GPU\n"


def test_what_is_right_is_not_marked(server: LanguageServer, document: Path) -> None:
    text = PROFILE + "  allow_all: true\n  kubespawner_override: {mem_limit: 4Gi}\n"
    assert marked(server, document, text) == {}


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (PROFILE + "  alow_all: true\n", "alow_all", "not allowed"),
        (PROFILE + "  allow_all: 'yes'\n", "'yes'", 'Expected "boolean"'),
        (PROFILE + "  kubespawner_override: {mem_limt: 4G}\n", "mem_limt", "not allowed"),
        (PROFILE + "  kubespawner_override: {cpu_limit: [1]}\n", "[1]", "Expected one of number"),
        ("hub: {default_access: maybe}\n", "maybe", 'Valid values: "deny", "allow"'),
        ("profile: []\n", "profile", "not allowed"),
    ],
)
def test_errors_are_marked(
    server: LanguageServer, document: Path, text: str, where: str, message: str
) -> None:
    found = marked(server, document, text)
    assert list(found) == [where]
    assert message in found[where]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        (PROFILE + "  all", {"allow_all", "allowed_users", "allowed_groups", "allow_if"}),
        (PROFILE + "  kubespawner_override:\n    mem", {"mem_limit", "mem_guarantee"}),
        (PROFILE + "  node:\n    ", {"selector", "tolerations"}),
        ("hub:\n  default_access: ", {"deny", "allow"}),
        ("p", {"profiles", "pod"}),
    ],
)
def test_keys_and_values_are_completed(
    server: LanguageServer, document: Path, text: str, offered: set[str]
) -> None:
    assert completed(server, document, text) >= offered


def test_a_key_is_explained(server: LanguageServer, document: Path) -> None:
    document.write_text(f"{FIRST_LINE}{PROFILE}  allowed_groups: [staff]\n")
    server.open(document)
    shown = server.at("textDocument/hover", document, 4, 4)["contents"]["value"]
    assert shown.startswith("#### jhext\\.yaml\n\nFull names of groups"), "no name of a class"
    assert "lab:gpu-users" in shown, "an example"
