"""The folders of example_configs: checked without a cluster, and their manifests not stale."""

from __future__ import annotations

import re
import shlex
import shutil
from importlib import resources
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from jhext.cli import application
from tests.releases import skip_example_for_newer_ones

EXAMPLES = Path(__file__).parents[2] / "example_configs"
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())
SETTINGS = sorted(EXAMPLES.rglob("jhext.yaml"))
GENERATED = sorted(
    path for name in ("rbac", "netpol", "prepull") for path in EXAMPLES.rglob(f"{name}*.yaml")
)
CONFIGURATIONS = ("jupyterhub_config.py", "values*.yaml")


def told(path: Path) -> str:
    """Name a file in the name of a test."""
    return str(path.relative_to(EXAMPLES))


@pytest.mark.parametrize("folder", FOLDERS, ids=told)
def test_folder_is_whole(folder: Path) -> None:
    assert (folder / "README.md").is_file()
    assert [file for pattern in CONFIGURATIONS for file in folder.glob(pattern)]


@pytest.mark.parametrize("settings", SETTINGS, ids=told)
def test_check_finds_nothing(settings: Path) -> None:
    skip_example_for_newer_ones(settings.parent.name)
    ran = CliRunner().invoke(application(), ["check", str(settings)])
    assert ran.exit_code == 0, ran.output


@pytest.mark.parametrize("config", sorted(EXAMPLES.glob("*/jupyterhub_config.py")), ids=told)
def test_check_finds_nothing_in_what_the_hub_runs(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_example_for_newer_ones(config.parent.name)
    folder = shutil.copytree(config.parent, tmp_path / "example")
    settings = folder / "jhext.yaml"
    text = settings.read_text()
    settings.write_text(text.replace("/etc/jupyterhub", str(folder)))
    for secret in re.findall(r"{env: (\w+)}", text):
        monkeypatch.setenv(secret, "00" * 32)
    ran = CliRunner().invoke(application(), ["check", str(folder / config.name)])
    assert ran.exit_code == 0, ran.output


@pytest.mark.parametrize("manifest", GENERATED, ids=told)
def test_d33_d44_manifest_is_what_its_first_line_prints(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_example_for_newer_ones(manifest.parent.name)
    command, _, kept = manifest.read_text().partition("\n")
    found = re.fullmatch(r"# (jhext (?:rbac|netpol|prepull) .*)", command)
    assert found, f"{told(manifest)} does not say how it was made: {command}"
    monkeypatch.chdir(manifest.parent)
    ran = CliRunner().invoke(application(), shlex.split(found[1])[1:])
    assert (ran.exit_code, ran.stdout) == (0, kept), ran.output


def test_mounts_are_those_of_the_list_beside_them() -> None:
    folder = EXAMPLES / "github"
    ran = CliRunner().invoke(
        application(), ["import", "mountpoints", str(folder / "mountpoints.json")]
    )
    imported = yaml.safe_load(ran.stdout)["storage"]["mounts"]
    written = yaml.safe_load((folder / "jhext.yaml").read_text())["storage"]["mounts"]
    assert written == imported


@pytest.mark.parametrize("name", ["jhext.yaml", "people.yaml", "jupyterhub_config.py"])
def test_demo_is_what_is_shipped(name: str) -> None:
    shipped = resources.files("jhext.demo").joinpath("data", name)
    assert (EXAMPLES / "demo" / name).read_text() == shipped.read_text()


def test_nobody_writes_python() -> None:
    """All that differs between these hubs is data."""
    files = set(EXAMPLES.glob("*/jupyterhub_config.py")) - {EXAMPLES / "demo/jupyterhub_config.py"}
    assert len(files) > 5
    assert len({file.read_text() for file in files}) == 1
