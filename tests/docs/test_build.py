"""The pages build without a warning, so that no link leads nowhere; directives do their work."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import jhext
from jhext.cli import application

ROOT = Path(__file__).parents[2]
WITH_TRAITS = [name for name in jhext.__all__ if name.endswith(("Authenticator", "Spawner"))]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"),
            *("-d", folder / "doctrees", ROOT / "docs", folder / "html"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_pages_build_without_warnings(built: Path) -> None:
    assert (built / "index.html").exists()


@pytest.mark.parametrize("name", WITH_TRAITS)
def test_own_traits_are_described(built: Path, name: str) -> None:
    pages = "".join(page.read_text() for page in (built / "reference").glob("*.html"))
    described = set(re.findall(r'id="jhext\.(\w+\.\w+)"', pages))
    traits = getattr(jhext, name).class_traits(config=True).items()
    own = {key for key, trait in traits if trait.this_class.__module__.startswith("jhext.")}
    own -= {"profile_list"}  # which the page itself describes
    assert own
    assert {f"{name}.{trait}" for trait in own} <= described


def test_functions_are_described(built: Path) -> None:
    page = (built / "reference" / "python.html").read_text()
    functions = [name for name in jhext.__all__ if name.islower()]
    assert functions
    assert [name for name in functions if f'id="jhext.{name}"' not in page] == []


def test_every_command_has_its_options(built: Path) -> None:
    page = re.sub("<[^>]+>", "", (built / "reference" / "cli.html").read_text())
    told = page[page.index("All options") :]
    waiting: list[Any] = [typer.main.get_command(application())]
    while waiting:
        command = waiting.pop()
        if hasattr(command, "commands"):
            waiting += command.commands.values()
            continue
        assert f" {command.name}\n" in told
        for parameter in command.params:
            assert set(parameter.opts) <= set(re.findall(r"--?[\w-]+|\w+", told.lower()))


def test_no_directive_is_left_as_text(built: Path) -> None:
    for page in built.rglob("*.html"):
        assert not re.search(r"\.\. \w+::|\{[a-z-]+\}`", page.read_text()), page.name
