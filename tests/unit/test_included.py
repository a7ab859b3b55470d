"""``include``: sections in files of their own, each in one file only."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets.config import Config

import jhext
from jhext.culler.source import File
from jhext.profiles.finding import ConfigurationError
from jhext.settings import load_settings

MAIN = "include: [more/identity.yaml, culler.yaml]\nhub: {default_access: allow}\n"
IDENTITY = """
identity:
  sources: [{type: files, passwd: passwd}]
"""
CULLER = "culler: {timeout: 1h}\n"


@pytest.fixture
def main(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "identity.yaml").write_text(IDENTITY)
    (tmp_path / "culler.yaml").write_text(CULLER)
    (tmp_path / "jhext.yaml").write_text(MAIN)
    return tmp_path / "jhext.yaml"


def test_sections_of_all_files(main: Path) -> None:
    settings = load_settings(main)
    assert settings.hub.default_access == "allow"
    assert settings.identity is not None
    (source,) = settings.identity.sources
    assert source.passwd == str(main.parent / "more" / "passwd")  # type: ignore[union-attr]
    assert settings.file_of("culler") == str(main.parent / "culler.yaml")
    assert settings.file_of("hub") == settings.file == str(main)
    assert settings.file_of("storage") == ""


def test_of_a_dict(main: Path) -> None:
    settings = load_settings({"include": [str(main.parent / "culler.yaml")]})
    assert settings.culler is not None
    c = Config()
    jhext.configure(c, {"include": [str(main.parent / "culler.yaml")], "profiles": []})
    (service,) = c.JupyterHub.services
    assert service["command"][-1] == str(main.parent / "culler.yaml")


def test_profiles_in_a_file_of_their_own(main: Path) -> None:
    (main.parent / "profiles.yaml").write_text("profiles: [{display_name: Small}]\n")
    main.write_text("include: [profiles.yaml]\nhub: {default_access: allow}\n")
    c = Config()
    assert jhext.configure(c, main).has_profiles
    (main.parent / "profiles.yaml").write_text("profiles: [{display_name: Small, allow: x}]\n")
    with pytest.raises(ConfigurationError) as error:
        jhext.configure(c, main)
    assert error.value.findings[0].file == str(main.parent / "profiles.yaml")


def test_the_culler_follows_its_section(main: Path) -> None:
    file = File(main)
    assert file.read().timeout == 3600
    (main.parent / "culler.yaml").write_text("culler: {timeout: 2h}\n")
    assert file.changed()
    assert file.read().timeout == 7200


@pytest.mark.parametrize(
    ("name", "text", "place", "message"),
    [
        ("culler.yaml", "hub: {}\n", "culler.yaml:1", "stands in"),
        ("culler.yaml", "\nculler: {timeot: 1h}\n", "culler.yaml:2", "timeout"),
        ("culler.yaml", "- 1\n", "culler.yaml:1", "must be a mapping"),
        ("culler.yaml", "include: [x.yaml]\n", "culler.yaml:1", "is not followed"),
        ("culler.yaml", "cullr: {}\n", "culler.yaml:1", "did you mean 'culler'?"),
        ("jhext.yaml", "include: [no.yaml]\n", "no.yaml", "No such file"),
        ("jhext.yaml", "include: culler.yaml\n", "jhext.yaml:1", "include"),
        ("jhext.yaml", "include: [1]\n", "jhext.yaml:1", "include"),
    ],
)
def test_d43_faults_are_told_where_they_are(
    main: Path, name: str, text: str, place: str, message: str
) -> None:
    (main.parent / name).write_text(text)
    with pytest.raises(ConfigurationError) as error:
        load_settings(main)
    told = str(error.value)
    assert f"{main.parent / place}" in told
    assert message in told
