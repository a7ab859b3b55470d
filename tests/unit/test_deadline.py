"""A hub whose configuration is on a disk that does not answer says so and does not start."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from traitlets.config import Config

import jhext
from jhext import deadline
from jhext.profiles.finding import ConfigurationError
from jhext.profiles.reading import Reading

FILES = {
    "jhext.yaml": "hub: {profile_files: [more.yaml], profile_mapping_files: [mapping]}",
    "more.yaml": "profiles: [{slug: a, display_name: A, allowed_users: {file: users}}]",
    "mapping": "ada:a",
    "users": "ada",
}


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Let the disk not answer for a file of this name."""
    answers, read = Event(), Reading.file

    def hanging(name: str) -> None:
        def file(reading: Reading, path: str) -> bytes:
            if Path(path).name == name:
                answers.wait()
            return read(reading, path)

        monkeypatch.setattr(deadline, "START_DEADLINE", 0.05)
        monkeypatch.setattr(Reading, "file", file)

    yield hanging
    answers.set()


@pytest.mark.parametrize("name", FILES)
def test_d04_a_disk_that_does_not_answer_is_a_configuration_error(
    tmp_path: Path, hang: Callable[[str], None], name: str
) -> None:
    for file, text in FILES.items():
        (tmp_path / file).write_text(text)
    config = Config()
    jhext.configure(config, tmp_path / "jhext.yaml")
    hang(name)
    with pytest.raises(ConfigurationError, match=r"could not be read in 0.05 s; look whether"):
        jhext.configure(Config(), tmp_path / "jhext.yaml")


def test_so_is_a_secret_that_never_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    os.mkfifo(secret)
    monkeypatch.setattr(deadline, "START_DEADLINE", 0.05)
    settings = {
        "profiles": [{"display_name": "A", "allow_all": True}],
        "hub": {"cookie_secret": {"file": str(secret)}},
    }
    with pytest.raises(ConfigurationError, match="the secrets of the section hub could not"):
        jhext.configure(Config(), settings)
    secret.write_text("to whoever still waits")


def test_other_errors_stay_what_they_are() -> None:
    def late() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        deadline.in_time(late, "nothing")
