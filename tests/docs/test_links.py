"""Links of files that Sphinx does not build lead somewhere: of the README and of the examples."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [*ROOT.glob("*.md"), *sorted((ROOT / "example_configs").rglob("*.md"))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text())
    assert [target for target in targets if not (file.parent / target).exists()] == []


def test_every_picture_is_small() -> None:
    pictures = [file for file in (ROOT / "docs" / "pictures").iterdir() if file.suffix != ".py"]
    assert len(pictures) >= 3
    assert [file.name for file in pictures if file.stat().st_size > 150_000] == []


def test_every_example_is_listed() -> None:
    page = (ROOT / "docs" / "how-to" / "examples.md").read_text()
    listed = set(re.findall(r"`example_configs/([a-z0-9-]+)`", page))
    assert listed == {path.name for path in (ROOT / "example_configs").iterdir() if path.is_dir()}


def test_examples_that_pages_name_are_there() -> None:
    pages = "".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    named = set(re.findall(r"`(example_configs/[^`*]*)`", pages))
    assert [name for name in named if not (ROOT / name).exists()] == []
