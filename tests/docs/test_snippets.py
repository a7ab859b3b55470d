"""Every snippet of the README and the pages is tried: configuration is loaded, commands exist."""

import itertools
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
from jsonschema import Draft7Validator
from packaging.requirements import Requirement
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser
from traitlets.config import Config

import jhext
from jhext.cli import application
from jhext.offline.cases import read_cases, run_cases
from jhext.offline.configuration import read_configuration
from jhext.offline.people import read_people
from jhext.settings import Settings
from tests.docs.configurables import CONFIGURABLES
from tests.hub.z2jh import over_defaults

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
PAGES.remove(ROOT / "docs" / "tutorial" / "own-hub.md")  # which test_own_hub.py goes through
CHART = Draft7Validator(
    yaml.safe_load((ROOT / "tests" / "data" / "z2jh" / "values.schema.yaml").read_text())
)


def evaluate_python(example: Example) -> None:
    """Run a piece of ``jupyterhub_config.py``, find the traits that it sets, check profiles."""
    c = example.namespace["c"] = Config()
    PythonEvaluator()(example)
    for name, section in c.items():
        traits = CONFIGURABLES[name].class_traits(config=True)
        assert set(section) <= set(traits), f"no such trait in {sorted(section)}"
    jhext.configure(c, {})


def evaluate_yaml(example: Example) -> None:
    """Configure a hub with a piece of ``jhext.yaml`` or of a chart, run cases, or read people."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder, "snippet.yaml")
        path.write_text(example.parsed)
        found = yaml.safe_load(example.parsed)
        for name in re.findall(r"\{env: (\w+)\}", example.parsed):
            patch.setenv(name, "0" * 64)  # a secret may be a key
        patch.chdir(folder)
        if "cases" in found:
            before = example.document.text[: example.start].split("```yaml\n")
            path.with_name("jhext.yaml").write_text(before[-1].split("```")[0])
            cases = read_cases(path)
            results = run_cases(cases, read_configuration(cases.configuration))
            assert [str(result.case) for result in results if not result.passed] == []
        elif "extraConfig" in found.get("hub", {}):
            evaluate_values(found)
        elif found.keys() <= Settings.model_fields.keys():
            for name in found.get("include", ()):
                Path(name).write_text("{}")
            jhext.configure(Config(), path)
        else:
            assert len(read_people(path)) == len(found)


def evaluate_values(values: dict[str, Any]) -> None:
    """Check values of Zero to JupyterHub, and configure a hub with those that are jhext's."""
    assert list(CHART.iter_errors(over_defaults(values))) == []
    jhext.configure(Config(), values["custom"]["jhext"])


def evaluate_sh(example: Example) -> None:
    folder = Path(example.path).parent
    for line in example.parsed.replace("\\\n", " ").splitlines():
        for command in re.split(r" \| | && ", line):
            check_command(shlex.split(command, comments=True), folder)


def check_command(words: list[str], folder: Path) -> None:
    """Find what a command names, without running what takes minutes or needs a cluster."""
    match words:
        case []:
            pass
        case [("docker" | "helm" | "kcadm.sh" | "openssl"), *_]:
            pass
        case [("kubectl" | "oc"), *arguments]:
            pairs = itertools.pairwise(arguments)
            applied = [file for option, file in pairs if option in {"-f", "-k"} and file != "-"]
            assert [file for file in applied if not (folder / file).exists()] == []
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
