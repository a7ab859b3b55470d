"""Every snippet of the README and the pages is tried: configuration is loaded, commands exist."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import typer
import yaml
from jupyter_events import EventLogger
from jupyterhub.app import JupyterHub
from kubespawner import KubeSpawner
from packaging.requirements import Requirement
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser
from traitlets.config import Config, Configurable

import jhext
from jhext.cli import application
from jhext.offline.cases import read_cases, run_cases
from jhext.offline.configuration import read_configuration
from jhext.offline.people import read_people
from jhext.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONFIGURABLES: dict[str, type[Configurable]] = {
    kind.__name__: kind for kind in (EventLogger, JupyterHub, KubeSpawner, jhext.ProfileKubeSpawner)
} | {name: getattr(jhext, name) for name in jhext.__all__ if name.endswith("Authenticator")}


def evaluate_python(example: Example) -> None:
    """Run a piece of ``jupyterhub_config.py``, find the traits that it sets, check profiles."""
    c = example.namespace["c"] = Config()
    PythonEvaluator()(example)
    for name, section in c.items():
        traits = CONFIGURABLES[name].class_traits(config=True)
        assert set(section) <= set(traits), f"no such trait in {sorted(section)}"
    jhext.configure(c, {})


def evaluate_yaml(example: Example) -> None:
    """Configure a hub with a piece of ``jhext.yaml``, run cases, or read people."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "snippet.yaml")
        path.write_text(example.parsed)
        found = yaml.safe_load(example.parsed)
        if "cases" in found:
            before = example.document.text[: example.start].split("```yaml\n")
            path.with_name("jhext.yaml").write_text(before[-1].split("```")[0])
            cases = read_cases(path)
            results = run_cases(cases, read_configuration(cases.configuration))
            assert [str(result.case) for result in results if not result.passed] == []
        elif found.keys() <= Settings.model_fields.keys():
            jhext.configure(Config(), found)
        else:
            assert len(read_people(path)) == len(found)


def evaluate_sh(example: Example) -> None:
    for line in example.parsed.splitlines():
        command, _, _into_the_cluster = line.partition(" | kubectl ")
        check_command(shlex.split(command))


def check_command(words: list[str]) -> None:
    """Find what a command names, without running what takes minutes."""
    match words:
        case ["make", target]:
            planned_by_make(target)
        case [".ci/setup", ("demo" | "test")] | [".venv/bin/tox", "run"]:
            pass
        case [".venv/bin/tox", "run", "-e", names, *_]:
            tox = ConfigParser(interpolation=None)
            tox.read(ROOT / "tox.ini")
            known = re.split(r"[,\s]+", tox["tox"]["env_list"])
            for name in names.split(","):
                assert name in known or f"testenv:{name}" in tox
        case [("jhext" | ".venv/bin/jhext"), *arguments]:
            command: Any = typer.main.get_command(application())
            while hasattr(command, "commands"):
                command = command.commands[arguments.pop(0)]
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in arguments if word.startswith("-")} <= known
        case ["pip", "install", requirement]:
            assert Requirement(requirement).name == "jhext"
        case _:
            pytest.fail(f"nothing here knows how to check: {shlex.join(words)}")


def planned_by_make(target: str) -> list[str]:
    if not shutil.which("make"):
        pytest.skip("make is not installed: apt-get install make")
    return subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()


EVALUATORS = {"python": evaluate_python, "yaml": evaluate_yaml, "sh": evaluate_sh}
SYBIL = Sybil([CodeBlockParser(language, evaluate) for language, evaluate in EVALUATORS.items()])


def examples() -> Iterator[object]:
    for page in PAGES:
        for example in SYBIL.parse(page).examples():
            yield pytest.param(example, id=f"{page.relative_to(ROOT)}:{example.line}")


@pytest.mark.parametrize("example", list(examples()))
def test_snippet(example: Example) -> None:
    example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_snippet_is_of_a_language_that_is_tried(page: Path) -> None:
    languages = re.findall(r"^ *```(\w+)", page.read_text(), re.MULTILINE)
    assert set(languages) <= set(EVALUATORS)


@pytest.mark.parametrize("target", ["demo", "test"])
def test_readme_gives_the_commands_that_make_runs(target: str) -> None:
    plain = "```sh\n" + "\n".join(planned_by_make(target)) + "\n```"
    assert plain in (ROOT / "README.md").read_text()
