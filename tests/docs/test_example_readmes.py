"""The READMEs of example_configs: jhext's commands run, files that others name are there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser
from typer.testing import CliRunner

from jhext.cli import application
from tests.docs.test_snippets import evaluate_yaml

EXAMPLES = Path(__file__).parents[2] / "example_configs"
READMES = sorted(EXAMPLES.rglob("README.md"))
FILE = re.compile(r"(?:.*=)?([\w.][\w./-]*\.(?:yaml|py|json|csv|txt))")
"""A file of the folder: paths in the pod of the hub begin with a slash."""


def told(path: Path) -> str:
    """Name a page in the name of a test."""
    return str(path.relative_to(EXAMPLES))


def evaluate_sh(example: Example) -> None:
    folder = Path(example.path).parent
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in example.parsed.splitlines():
            for command in re.split(r" \| | > ", line):
                run(shlex.split(command))


def run(words: list[str]) -> None:
    """Run what is jhext's, and look for the files that it names, or another command."""
    named = [found[1] for word in words if (found := FILE.fullmatch(word))]
    assert [file for file in named if not Path(file).exists()] == []
    if words[0] == "jhext":
        ran = CliRunner().invoke(application(), words[1:])
        assert ran.exit_code == 0, ran.output


def evaluate_json(example: Example) -> None:
    json.loads(example.parsed)


EVALUATORS: dict[str, Any] = {"sh": evaluate_sh, "yaml": evaluate_yaml, "json": evaluate_json}
SYBIL = Sybil([CodeBlockParser(language, evaluate) for language, evaluate in EVALUATORS.items()])


def examples() -> Iterator[object]:
    for page in READMES:
        for example in SYBIL.parse(page).examples():
            yield pytest.param(example, id=f"{told(page)}:{example.line}")


@pytest.mark.parametrize("example", list(examples()))
def test_snippet(example: Example) -> None:
    example.evaluate()


@pytest.mark.parametrize("page", READMES, ids=told)
def test_every_snippet_is_of_a_language_that_is_tried(page: Path) -> None:
    assert set(re.findall(r"^ *```(\w+)", page.read_text(), re.MULTILINE)) <= set(EVALUATORS)
