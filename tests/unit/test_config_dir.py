"""``load_config_dir``: files by their numbers, all with the same configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub
from traitlets.config import Config

import jhext

RAN = "c.JupyterHub.load_groups.setdefault('ran', []).append({!r})\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder as a mounted ConfigMap is one, with what is not to be run."""
    data = tmp_path / "..2026"
    data.mkdir()
    (data / "9-first.py").write_text("c.JupyterHub.load_groups = {}\n" + RAN.format("9"))
    (data / "10-second.py").write_text(RAN.format("10"))
    (data / "100-third.py").write_text(RAN.format("100"))
    for name in ("helper.py", "20-notes.txt", "30-off.py.disabled", "x-1.py"):
        (data / name).write_text("raise AssertionError\n")
    (tmp_path / "40-folder.py").mkdir()
    for file in data.iterdir():
        (tmp_path / file.name).symlink_to(file)
    return tmp_path


def test_in_the_order_of_the_numbers(folder: Path) -> None:
    c = Config()
    names = [file.name for file in jhext.load_config_dir(c, folder)]
    assert names == ["9-first.py", "10-second.py", "100-third.py"]
    assert c.JupyterHub.load_groups == {"ran": ["9", "10", "100"]}


@pytest.mark.parametrize("absolute", [True, False])
def test_relative_or_not(folder: Path, monkeypatch: pytest.MonkeyPatch, absolute: bool) -> None:
    monkeypatch.chdir(folder.parent)
    assert len(jhext.load_config_dir(Config(), folder if absolute else folder.name)) == 3


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        jhext.load_config_dir(Config(), tmp_path / "nowhere")


def test_errors_in_files_come_out(tmp_path: Path) -> None:
    (tmp_path / "1-bad.py").write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        jhext.load_config_dir(Config(), tmp_path)


def test_in_a_hubs_own_file(tmp_path: Path) -> None:
    """Each file sees what those before have set, and may load others."""
    folder = tmp_path / "jupyterhub_config.d"
    folder.mkdir()
    (folder / "1-spawner.py").write_text("c.JupyterHub.spawner_class = 'jhext'\n")
    (folder / "2-services.py").write_text(
        "assert c.JupyterHub.spawner_class == 'jhext'\n"
        "c.JupyterHub.services.append({'name': 'one'})\n"
        "load_subconfig('more.py')\nload_subconfig('missing.py')\n"
    )
    (folder / "more.py").write_text("c.JupyterHub.services.append({'name': 'two'})\n")
    main = tmp_path / "jupyterhub_config.py"
    main.write_text(
        f"import jhext\njhext.load_config_dir(c, {str(folder)!r})\n"
        "c.JupyterHub.services.append({'name': 'three'})\n"
    )
    hub = JupyterHub(log_level="ERROR")
    hub.load_config_file(str(main))
    assert [service["name"] for service in hub.services] == ["one", "two", "three"]
