"""Mounts of projects: a server has one uid, so what it mounts has to agree on whose."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jhext.identity.act_as import ActAs
from jhext.storage.errors import StorageReason, StorageRefused
from jhext.storage.mounts import MountSettings, mounts_of
from jhext.storage.projects import acting
from jhext.storage.volumes import Owner
from tests.unit.storage.test_mounts import DATA, owner

EXP7 = {"uid": 4007, "gid": 4007, "groups": {"exp7": 4007}}
EXP8 = {"uid": 4008, "gid": 4008, "groups": {"exp8": 4008}}
IN_GROUPS = {"mount_path": "/g/{group}", "sub_path": "{group}", "groups": ["lab", "exp7"]}


def mount(name: str = "data", project: Any = None, **keys: Any) -> MountSettings:
    return MountSettings.model_validate(
        DATA | {"name": name, "allow_all": True, "act_as": project} | keys
    )


@pytest.mark.parametrize(
    ("mounts", "profile", "project", "asked_by"),
    [
        ([], None, None, ""),
        ([mount()], None, None, ""),
        ([mount()], EXP7, EXP7, "profile"),
        ([mount("a"), mount("b", EXP7)], None, EXP7, "mount b"),
        ([mount("a", EXP7), mount("b", EXP7)], EXP7, EXP7, "profile, mount a, mount b"),
    ],
)
def test_one_project(
    mounts: list[MountSettings], profile: Any, project: Any, asked_by: str
) -> None:
    settled = acting(mounts, ActAs(**profile) if profile else None)
    assert settled.project == (ActAs(**project) if project else None)
    assert settled.asked_by == asked_by


@pytest.mark.parametrize(
    ("mounts", "profile"),
    [
        ([mount("a", EXP7), mount("b", EXP8)], None),
        ([mount("a"), mount("b", EXP8)], EXP7),
        ([mount("a", EXP7), mount("b", EXP7 | {"groups": {}})], None),
        ([mount("a", EXP7), mount("b", EXP7 | {"gid": 4008})], None),
    ],
)
def test_two_projects_are_refused(mounts: list[MountSettings], profile: Any) -> None:
    with pytest.raises(StorageRefused, match="two projects at once") as refused:
        acting(mounts, ActAs(**profile) if profile else None)
    assert refused.value.reason is StorageReason.PROJECTS
    assert "mount b" in refused.value.message


def test_project_has_to_be_in_the_groups_whose_directories_it_mounts() -> None:
    with pytest.raises(ValidationError, match=r"act_as\.groups: lab of groups are missing"):
        mount("data", EXP7, **IN_GROUPS)
    assert mount("data", EXP7, **IN_GROUPS | {"groups": ["exp7"]})


def working_as_exp7(*groups: str) -> Owner:
    person = owner(gids=dict.fromkeys(groups, 5001))
    assert person.identity
    project = owner(gids={"exp7": 4007}).identity
    return Owner(person.person, person.identity, project=project)


def test_project_makes_directories_of_its_own_groups_alone() -> None:
    shared = mount(**IN_GROUPS, directory_mode="2770")
    (made,) = mounts_of([shared], working_as_exp7("lab", "exp7"), {}).directories
    assert (made.path, made.group) == ("exp7", 4007)
    assert mounts_of([shared], working_as_exp7("lab"), {}).volumes.mounts == ()


def test_rules_read_what_the_person_is() -> None:
    """Working as a project neither gives what its groups may have, nor unblocks anybody."""
    guest = working_as_exp7("guests")
    mounts = [
        mount("open", blocked_groups=["guests"]),
        mount("own", allow_all=False, allowed_groups=["exp7"]),
    ]
    assert mounts_of(mounts, guest, {}).volumes.mounts == ()
