"""The values of the example z2jh: the chart's schema takes them, and they fit its other files."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from jhext.cluster.images import images_of
from jhext.offline.configuration import Configuration, read_configuration
from tests.hub.z2jh import over_defaults

TESTS = Path(__file__).parents[1]
FOLDER = TESTS.parent / "example_configs" / "z2jh"
FILES = sorted(FOLDER.glob("values*.yaml"))
DOCKERFILE = (FOLDER / "image" / "Dockerfile").read_text()
VALUES = yaml.safe_load((FOLDER / "values.yaml").read_text())
Read = Callable[[Path], Configuration]


def faults(values: Any) -> list[str]:
    schema = yaml.safe_load((TESTS / "data" / "z2jh" / "values.schema.yaml").read_text())
    found = Draft7Validator(schema).iter_errors(over_defaults(values))
    return [f"{error.json_path}: {error.message}" for error in found]


@pytest.fixture
def under_the_chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read the configuration that the chart makes of its defaults and a file of values."""
    monkeypatch.syspath_prepend(TESTS / "hub")

    def read(file: Path) -> Configuration:
        text = file.read_text().replace("/etc/jhext/", f"{FOLDER}/")
        (tmp_path / "jhext.yaml").write_text(text)
        (tmp_path / "hub").mkdir()
        monkeypatch.chdir(tmp_path / "hub")
        return read_configuration(TESTS / "hub" / "z2jh_config.py")

    return read


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_schema_of_the_chart_takes_them(file: Path) -> None:
    assert faults(yaml.safe_load(file.read_text())) == []


@pytest.mark.parametrize(
    "values", [{"hub": {"actveServerLimit": 1}}, {"prePuller": {"extraImages": {"a": "b:1"}}}]
)
def test_schema_of_the_chart_finds_faults(values: Any) -> None:
    assert faults(values)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_hub_would_start(file: Path, under_the_chart: Read) -> None:
    read = under_the_chart(file)
    assert read.version.catalog.findings == ()
    assert [service["name"] for service in read.hub_trait("services", [])] == ["jhext-culler"]


def test_chart_pulls_the_images_of_all_profiles(under_the_chart: Read) -> None:
    found = images_of(under_the_chart(FOLDER / "values.yaml"))
    assert found.unknown == ()
    values = yaml.safe_load((FOLDER / "prepull.yaml").read_text())
    assert faults(values) == []
    listed = values["prePuller"]["extraImages"].values()
    pulled = {f"{image['name']}:{image['tag']}" for image in listed}
    assert {image for group in found.groups for image in group.images} == pulled


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_is_open_to_the_world_without_tls(file: Path) -> None:
    values = over_defaults(yaml.safe_load(file.read_text()))
    assert values["proxy"]["service"]["type"] == "ClusterIP"


def test_limits(under_the_chart: Read) -> None:
    read = under_the_chart(FOLDER / "values.yaml")
    assert read.hub_trait("active_server_limit", None) == 100
    assert read.hub_trait("concurrent_spawn_limit", None) == 10
    assert read.admins == {"first-admin"}


def test_image_has_what_the_values_name() -> None:
    copied = dict(re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.MULTILINE))
    assert {(FOLDER / "image" / source).exists() for source in copied} == {True}
    named = {*VALUES["hub"]["templatePaths"], VALUES["hub"]["config"]["JupyterHub"]["logo_file"]}
    assert named == set(copied.values())


def test_image_is_the_charts_with_this_release() -> None:
    (tag,) = re.findall(r"^FROM quay\.io/jupyterhub/k8s-hub:(\S+)$", DOCKERFILE, re.MULTILINE)
    assert f"ARG JHEXT=jhext=={version('jhext')}\n" in DOCKERFILE
    assert 'RUN pip install --no-cache-dir "${JHEXT}"\n' in DOCKERFILE
    assert DOCKERFILE.endswith("\nUSER 1000\n"), "not root"
    tags = [yaml.safe_load(file.read_text())["hub"]["image"]["tag"] for file in FILES]
    assert set(tags) == {tag}
    versions = re.findall(r"--version (\S+)", (FOLDER / "README.md").read_text())
    assert set(versions) == {tag}
