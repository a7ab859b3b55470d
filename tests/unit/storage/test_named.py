"""Names of people and groups that stand in files beside the rules of mounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from jhext.profiles.access import Person
from jhext.profiles.finding import ConfigurationError
from jhext.settings import load_settings
from jhext.storage.mounts import mounts_of
from jhext.storage.volumes import Owner

MOUNT = {"name": "data", "source": {"type": "empty_dir"}, "mount_path": "/data"}


def written(folder: Path, **rule: Any) -> Path:
    file = folder / "jhext.yaml"
    mounts = [MOUNT, MOUNT | {"name": "other", "mount_path": "/other"} | rule]
    mounts[0] = mounts[0] | {"allow_all": True}
    file.write_text(yaml.safe_dump({"storage": {"mounts": mounts}}))
    return file


def mounted(file: Path, user: str, *groups: str) -> dict[str, bool]:
    storage = load_settings(file).storage
    assert storage
    volumes = mounts_of(storage.mounts, Owner(Person(user, frozenset(groups))), {}).volumes
    return {mount["mountPath"]: "readOnly" not in mount for mount in volumes.mounts}


def test_names_are_read_from_files_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "users").write_text('ann bob # and\n"carla west"\n')
    (tmp_path / "guests").write_text("guests\n")
    (tmp_path / "writers").write_text("curators")
    file = written(
        tmp_path,
        allowed_users={"file": "lists/users"},
        blocked_groups={"file": str(tmp_path / "guests")},
        writers={"allowed_groups": {"file": "writers"}},
    )
    assert mounted(file, "ann") == {"/data": True, "/other": False}
    assert mounted(file, "carla west", "curators") == {"/data": True, "/other": True}
    assert mounted(file, "bob", "guests") == mounted(file, "carla") == {"/data": True}


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ({"file": "missing"}, "missing cannot be read: No such file"),
        ({"file": 7}, "must be a list of names or {file: PATH}"),
        ({"file": "names", "more": 1}, "must be a list of names or {file: PATH}"),
        ({"path": "names"}, "must be a list of names or {file: PATH}"),
        ({"file": "faulty"}, "quotes stand around a whole name"),
    ],
)
@pytest.mark.parametrize("of", ["rule", "writers"])
def test_faults_are_told_with_their_place(
    tmp_path: Path, reference: Any, problem: str, of: str
) -> None:
    (tmp_path / "faulty").write_text('ann\nb"ob\n')
    rule = {"allowed_users": reference}
    file = written(tmp_path, **(rule if of == "rule" else {"allow_all": True, "writers": rule}))
    with pytest.raises(ConfigurationError) as refused:
        load_settings(file)
    (finding,) = refused.value.findings
    assert problem in finding.message
    if "quotes" in problem:
        assert (Path(finding.file), finding.line) == (tmp_path / "faulty", 2)
    else:
        below = "" if of == "rule" else "writers."
        assert finding.path == f"storage.mounts.1.{below}allowed_users"
        assert finding.file == str(file)
        assert "allowed_users" in file.read_text().splitlines()[finding.line - 1]


@pytest.mark.parametrize("section", [None, [], {"mounts": 7}, {"mounts": [7]}, {"mounts": {}}])
def test_what_is_no_list_of_rules_is_told_as_ever(section: Any) -> None:
    if section is None:
        assert load_settings({"storage": None}).storage is None
    else:
        with pytest.raises(ConfigurationError):
            load_settings({"storage": section})
