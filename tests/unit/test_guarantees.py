"""The page of guarantees and the tests speak of the same things."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "guarantees.md"
ROW = re.compile(r"^\| (?P<id>[DF]-\d\d) \| .+ \| (?P<tests>.+) \|$", re.MULTILINE)
LISTED = {row["id"]: re.findall(r"`(\S+)`", row["tests"]) for row in ROW.finditer(PAGE.read_text())}


def read_tests(path: Path) -> Iterator[tuple[str, str]]:
    """Give the name of each test in a file, and the text that may cite a guarantee."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_":
            yield node.name, f"{node.name}\n{ast.get_docstring(node) or ''}"


def cited(text: str) -> set[str]:
    """Find the guarantees that a test names: ``test_d03_...`` or ``D-03``."""
    found = re.findall(r"(?:^test_|_|\b)([df])-?(\d\d)(?=\b|_)", text, re.IGNORECASE)
    return {f"{letter.upper()}-{number}" for letter, number in found}


def test_page_has_guarantees_in_order_and_once() -> None:
    numbers = [row["id"] for row in ROW.finditer(PAGE.read_text())]
    assert numbers
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(("guarantee", "tests"), LISTED.items())
def test_listed_tests_exist_and_cite_their_guarantee(guarantee: str, tests: list[str]) -> None:
    assert tests
    for test in tests:
        path, name = test.split("::")
        citations = dict(read_tests(ROOT / path))
        assert name in citations, f"{test} does not exist"
        assert guarantee in cited(citations[name]), f"{test} does not cite {guarantee}"


def test_cited_guarantees_are_listed() -> None:
    unknown = {
        f"{path.relative_to(ROOT)}::{name}: {', '.join(missing)}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for name, text in read_tests(path)
        if (missing := cited(text) - set(LISTED))
    }
    assert not unknown
