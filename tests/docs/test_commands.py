"""The commands that pages show are run, on files of the names that they give."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jhext.cli import application

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "cli"
FILES = {
    "explain/jhext.yaml": "jhext.yaml",
    "check/groups.txt": "groups.txt",
    "diff/old.yaml": "old.yaml",
    "diff/new.yaml": "new.yaml",
    "diff/mapping": "mapping",
    "import/2i2c/common.values.yaml": "common.values.yaml",
    "import/2i2c/hub.values.yaml": "hub.values.yaml",
    "import/nebari/nebari-config.yaml": "nebari-config.yaml",
    "import/odh/profiles.yaml": "profiles-configmap.yaml",
    "import/odh/sizes.yaml": "sizes-configmap.yaml",
    "import/vorcunus/configmap.yaml": "configmap-jupyterhub.yaml",
}
COMMANDS = sorted(
    {
        command
        for page in (ROOT / "docs").rglob("*.md")
        if page.name != "own-hub.md"  # which test_own_hub.py goes through
        for command in re.findall(
            r"^jhext (?:check|explain|test|diff|import|schema|rbac|netpol|prepull|show)\b.*",
            page.read_text(),
            re.MULTILINE,
        )
    }
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kept, name in FILES.items():
        shutil.copy(GOLDEN / kept, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new").mkdir()
    shutil.copy("jhext.yaml", "new")
    config = "import jhext\njhext.configure(c, 'jhext.yaml')\n"
    Path("jupyterhub_config.py").write_text(config)
    Path("rules_test.yaml").write_text("cases: [{user: eve, profile: gpu, expect: refused}]")
    Path("mountpoints.json").write_text('[{"mountpoint": "/data", "hostpath": "/data"}]')
    Path("users.json").write_text(json.dumps([{"name": "ada", "groups": ["staff"]}]))
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_shown_does_something(command: str) -> None:
    words = re.split(" [>|] ", command)[0]
    ran = CliRunner().invoke(application(), shlex.split(words)[1:])
    assert ran.exit_code in (0, 1), ran.output
    assert ran.stdout or "-o" in words
    assert isinstance(ran.exception, SystemExit | None)


def test_there_are_some() -> None:
    assert len(COMMANDS) > 10
