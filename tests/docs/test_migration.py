"""What the pages of migrations show before and after belongs together: the command makes it so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from jhext.cli import application

FOLDER = Path(__file__).parents[2] / "docs" / "migration"
BEFORE = re.compile(r"```\{code-block\} \w+\n:caption: (\S+)\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"```sh\njhext (import .*)\n```")
AFTER = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
IMPORTED = [page for page in sorted(FOLDER.glob("*.md")) if COMMAND.search(page.read_text())]


def jhext(*words: str) -> tuple[int, str]:
    ran = CliRunner().invoke(application(), words)
    return ran.exit_code, ran.output


@pytest.mark.parametrize("page", IMPORTED, ids=lambda page: page.stem)
def test_import_gives_what_is_shown(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text()
    for name, content in BEFORE.findall(text):
        Path(name).write_text(content)
    command, shown = COMMAND.search(text), AFTER.search(text)
    assert command
    assert shown
    code, told = jhext(*shlex.split(command[1]))
    assert code in (0, 1), told
    assert yaml.safe_load(Path("jhext.yaml").read_text()) == yaml.safe_load(shown[1])


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda page: page.stem)
def test_what_is_new_is_sound(page: Path, tmp_path: Path) -> None:
    for number, snippet in enumerate(AFTER.findall(page.read_text())):
        path = tmp_path / f"{number}.yaml"
        path.write_text(snippet)
        code, told = jhext("check", str(path))
        assert code == 0, told


def test_what_has_a_command() -> None:
    assert [page.stem for page in IMPORTED] == ["from-2i2c", "from-nebari", "from-open-data-hub"]
