"""Files are read in one moment, and every change of them is noticed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jhext.profiles import reading as module
from jhext.profiles.reading import Reading
from tests.config_map import ConfigMap


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be old enough for their times to be trusted."""
    now = time.time_ns
    monkeypatch.setattr(module.time, "time_ns", lambda: now() + 10**9)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text("one")
    return path


def read(*paths: Path) -> Reading:
    reading = Reading()
    for path in paths:
        if path.is_dir():
            for found in reading.folder(str(path)):
                reading.file(found)
        else:
            reading.file(str(path))
    return reading


def exchange(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("two")
    other.replace(path)


def link_elsewhere(path: Path) -> None:
    target = path.with_name("target")
    target.write_text("one")
    path.unlink()
    path.symlink_to(target)


CHANGES: dict[str, Callable[[Path], object]] = {
    "written": lambda path: path.write_text("two"),
    "written longer": lambda path: path.write_text("three"),
    "exchanged": exchange,
    "removed": lambda path: path.unlink(),
    "linked elsewhere": link_elsewhere,
    "touched": lambda path: os.utime(path, ns=(1, 1)),
}


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", CHANGES)
def test_change_of_a_file_is_noticed(file: Path, change: str) -> None:
    reading = read(file)
    assert reading.holds
    assert reading.is_current
    CHANGES[change](file)
    assert not reading.holds
    assert not reading.is_current


@pytest.mark.usefixtures("settled")
def test_change_of_a_folder_is_noticed(file: Path) -> None:
    reading = read(file.parent)
    assert reading.is_current
    (file.parent / "..hidden").touch()
    assert reading.is_current
    added = file.parent / "b.yaml"
    added.touch()
    assert not reading.is_current
    added.unlink()
    assert reading.is_current


def test_a_file_that_has_just_changed_is_not_trusted(file: Path) -> None:
    """It may change again without a change of its times."""
    assert not read(file).is_current


@pytest.mark.usefixtures("settled")
def test_folders_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml", ".hidden", "B.yaml"):
        (tmp_path / name).touch()
    assert [Path(path).name for path in Reading().folder(str(tmp_path))] == [
        "B.yaml",
        "a.yaml",
        "b.yaml",
    ]


@pytest.mark.usefixtures("settled")
def test_what_is_missing_may_come(tmp_path: Path) -> None:
    reading, path = Reading(), tmp_path / "folder" / "a.yaml"
    with pytest.raises(FileNotFoundError):
        reading.file(str(path))
    assert reading.folder(str(path.parent)) == []
    assert reading.holds
    assert reading.is_current
    path.parent.mkdir()
    path.touch()
    assert not reading.is_current


def test_reading_again_tells_whether_it_says_the_same(file: Path) -> None:
    reading = read(file, file.parent)
    os.utime(file, ns=(1, 1))
    assert reading.again().says_what(reading)
    file.write_text("two")
    assert not reading.again().says_what(reading)
    file.write_text("one")
    assert reading.again().says_what(reading)
    file.unlink()
    assert not reading.again().says_what(reading)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="no regular file"):
        Reading().file(str(pipe))


def test_large_files_are_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 2)
    with pytest.raises(ValueError, match="larger than 2 bytes"):
        Reading().file(str(file))


# ConfigMaps


@pytest.fixture
def config_map(tmp_path: Path) -> ConfigMap:
    config_map = ConfigMap(tmp_path / "mounted")
    config_map.write({"a": "1", "b": "1"})
    return config_map


@pytest.mark.usefixtures("settled")
def test_config_map_is_exchanged(config_map: ConfigMap) -> None:
    reading = read(config_map.folder)
    assert reading.holds
    assert reading.is_current
    config_map.write({"a": "1", "b": "1"})
    assert not reading.is_current
    assert reading.again().says_what(reading)


def test_config_map_is_read_through_one_version(
    config_map: ConfigMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exchanged in the middle, while the version before is still there."""
    monkeypatch.setattr("tests.config_map.shutil.rmtree", lambda folder: None)
    reading = Reading()
    first = reading.file(config_map.path("a"))
    config_map.write({"a": "2", "b": "2"})
    assert (first, reading.file(config_map.path("b"))) == (b"1", b"1")
    assert reading.holds
    assert not reading.is_current


def test_config_map_whose_version_is_removed_while_it_is_read(config_map: ConfigMap) -> None:
    reading = Reading()
    reading.file(config_map.path("a"))
    config_map.write({"a": "2", "b": "2"})
    with pytest.raises(FileNotFoundError):
        reading.file(config_map.path("b"))
    assert not reading.holds


def test_version_that_is_removed_when_only_its_name_is_known(
    config_map: ConfigMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks like an empty folder was exchanged for another."""
    listdir = os.listdir

    def late(folder: str) -> list[str]:
        monkeypatch.setattr(module.os, "listdir", listdir)
        config_map.write({"a": "1", "b": "1"})
        return listdir(folder)

    monkeypatch.setattr(module.os, "listdir", late)
    reading = Reading()
    assert reading.folder(str(config_map.folder)) == []
    assert not reading.holds
