"""Extra volumes by rule: who has which, who may write, and what is an error from the start."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jhext.identity.model import Group, Identity
from jhext.profiles.access import Person
from jhext.storage.errors import StorageRefused
from jhext.storage.mounts import Mounted, MountSettings, mounts_of
from jhext.storage.prepare import Directory
from jhext.storage.settings import StorageSettings
from jhext.storage.volumes import Owner

NFS = {"type": "nfs", "server": "nfs.example.org", "path": "/exports/data"}
DATA = {"name": "data", "mount_path": "/data", "source": NFS}
INIT = {"create": "user", "image": "python"}


def rule(**keys: Any) -> MountSettings:
    return MountSettings.model_validate(DATA | keys)


def owner(
    *groups: str, profile: str = "", user: str = "ann", gids: dict[str, int] | None = None
) -> Owner:
    named = tuple(Group(name, gid) for name, gid in (gids or {}).items())
    now = datetime.now(UTC)
    identity = Identity(username=user, uid=1001, gid=2001, groups=named, resolved_at=now)
    return Owner(Person(user, frozenset(groups)), identity, profile)


def places(mounted: Mounted) -> dict[str, bool]:
    """Where something is mounted, and whether it can be written."""
    return {item["mountPath"]: not item.get("readOnly") for item in mounted.volumes.mounts}


@pytest.mark.parametrize(
    ("keys", "person", "expected"),
    [
        ({"allow_all": True}, owner(), {"/data": True}),
        ({"allow_all": True, "read_only": True}, owner(), {"/data": False}),
        ({"allowed_users": ["ann"]}, owner(), {"/data": True}),
        ({"allowed_users": ["ann"]}, owner(user="anna"), {}),
        ({"allowed_groups": ["lab"]}, owner("lab"), {"/data": True}),
        ({"allowed_groups": ["lab"]}, owner("lab2"), {}),
        ({"allowed_groups": ["lab"]}, owner(gids={"lab": 5001}), {"/data": True}),
        ({"allow_all": True, "blocked_groups": ["guests"]}, owner("guests"), {}),
        ({"allow_all": True, "block_if": "claims.x == 1"}, owner(), {}),
        ({"allow_if": "'lab' in groups"}, owner("lab"), {"/data": True}),
        ({"profiles": ["gpu"]}, owner(profile="gpu"), {"/data": True}),
        ({"profiles": ["gpu"]}, owner(profile="cpu"), {}),
        ({"profiles": ["gpu"]}, owner(), {}),
        ({"profiles": ["gpu"], "allowed_users": ["bob"]}, owner(profile="gpu"), {}),
        ({"allow_all": True, "writers": {"allowed_groups": ["w"]}}, owner("w"), {"/data": True}),
        ({"allow_all": True, "writers": {"allowed_groups": ["w"]}}, owner(), {"/data": False}),
        ({"allow_all": True, "writers": {"block_if": "false"}}, owner(), {"/data": False}),
    ],
)
def test_who_has_it_and_who_may_write(
    keys: dict[str, Any], person: Owner, expected: dict[str, bool]
) -> None:
    mounted = mounts_of([rule(**keys)], person, {})
    assert places(mounted) == expected
    assert bool(mounted.volumes.volumes) == bool(expected)


def test_each_group_has_its_directory() -> None:
    groups = {"physics": "physics", "/hpc/gpu": "gpu", "other": "other"}
    shared = rule(
        mount_path="/groups/{group}", sub_path="{group}", groups=groups, directory_mode="2770"
    )
    person = owner("physics", gids={"physics": 5001, "/hpc/gpu": 5002})
    mounted = mounts_of([shared], person, {})
    assert mounted.volumes.mounts == (
        {"name": "jhext-mount-data", "mountPath": "/groups/gpu", "subPath": "gpu"},
        {"name": "jhext-mount-data", "mountPath": "/groups/physics", "subPath": "physics"},
    )
    assert len(mounted.volumes.volumes) == 1
    assert mounted.directories == (
        Directory("the directory /groups/gpu", "jhext-mount-data", "gpu", "2770", 5002),
        Directory("the directory /groups/physics", "jhext-mount-data", "physics", "2770", 5001),
    )


def test_directory_of_a_group_without_a_gid_is_refused() -> None:
    """It would be the first person's, and nobody else could write."""
    shared = rule(
        mount_path="/g/{group}", sub_path="{group}", groups=["lab"], directory_mode="2770"
    )
    with pytest.raises(StorageRefused) as refused:
        mounts_of([shared], owner("lab"), {})
    assert "no source of identities gives the gid of lab" in refused.value.detail


def test_who_may_not_write_makes_no_directory() -> None:
    shared = rule(
        mount_path="/g/{group}",
        sub_path="{group}",
        groups=["lab"],
        directory_mode="2770",
        writers={"allowed_users": ["bob"]},
    )
    assert mounts_of([shared], owner(gids={"lab": 5001}), {}).directories == ()


@pytest.mark.parametrize(
    ("source", "claims", "expected"),
    [
        (NFS, {}, {"nfs": {"server": "nfs.example.org", "path": "/exports/data"}}),
        (
            {"type": "host_path", "path": "/gpfs/data/"},
            {},
            {"hostPath": {"path": "/gpfs/data", "type": "Directory"}},
        ),
        (
            {"type": "claim", "claim": "shared"},
            {"shared": "shared-x"},
            {"persistentVolumeClaim": {"claimName": "shared-x"}},
        ),
        (
            {"type": "existing_claim", "claim_name": "old"},
            {},
            {"persistentVolumeClaim": {"claimName": "old"}},
        ),
        ({"type": "empty_dir", "medium": "Memory"}, {}, {"emptyDir": {"medium": "Memory"}}),
    ],
)
def test_sources(source: dict[str, Any], claims: dict[str, str], expected: dict[str, Any]) -> None:
    (volume,) = mounts_of([rule(source=source, allow_all=True)], owner(), claims).volumes.volumes
    assert volume == {"name": "jhext-mount-data", **expected}


def test_each_group_has_its_claim() -> None:
    source = {"type": "claim", "claim": "lab"}
    per_group = rule(source=source, mount_path="/g/{group}", groups=["b", "a", "c"])
    mounted = mounts_of([per_group], owner("a", "b"), {"lab/a": "claim-a", "lab/b": "claim-b"})
    assert [volume["persistentVolumeClaim"]["claimName"] for volume in mounted.volumes.volumes] == [
        "claim-a",
        "claim-b",
    ]
    names = [mount["name"] for mount in mounted.volumes.mounts]
    assert names == [volume["name"] for volume in mounted.volumes.volumes]
    assert len(set(names)) == 2


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({}, "say who has it"),
        ({"allowed_group": ["x"]}, "Extra inputs"),
        ({"allow_all": True, "read_only": True, "writers": {}}, "nobody may write"),
        ({"allow_all": True, "directory_mode": "2770"}, "only for a sub_path"),
        ({"allow_all": True, "sub_path": "../x"}, "sub_path"),
        ({"allow_all": True, "sub_path": "{nobody}"}, "unknown field 'nobody'"),
        ({"allow_all": True, "mount_path": "/a/{group}"}, "needed where {group}"),
        ({"groups": ["a"]}, "needed where {group}"),
        ({"groups": ["a"], "sub_path": "{group}"}, "mount_path: {group} is needed"),
        ({"groups": ["/hpc/gpu"], "mount_path": "/g/{group}"}, "no name of a directory"),
        ({"groups": ["..", "a"], "mount_path": "/g/{group}"}, "no name of a directory"),
        ({"groups": {"a": "x", "b": "x"}, "mount_path": "/g/{group}"}, "two groups would share"),
        ({"allow_all": True, "name": "Data"}, "name"),
    ],
)
def test_errors_before_anybody_comes(keys: dict[str, Any], problem: str) -> None:
    """D-17: two groups with one directory are among them."""
    with pytest.raises(ValidationError) as error:
        rule(**keys)
    assert problem in str(error.value)


RESERVED = """
    / /proc /proc/1 /sys/x /dev /dev/null /etc /etc/passwd /etc/group /usr /jhext data
    /run/secrets/x /var/run/secrets/kubernetes.io/serviceaccount //etc//passwd /etc/passwd/
    /a/../etc/passwd /a/./b
"""


@pytest.mark.parametrize("path", RESERVED.split())
def test_reserved_places_are_errors(path: str) -> None:
    with pytest.raises(ValidationError):
        rule(allow_all=True, mount_path=path)


@pytest.mark.parametrize("path", ["/dev/shm", "/procedures", "/etc/pki/lab", "/data/"])
def test_other_places_are_not(path: str) -> None:
    assert rule(allow_all=True, mount_path=path).mount_path == path.rstrip("/")


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"mounts": [DATA, DATA | {"mount_path": "/b"}]}, "mounts.data: there are two"),
        ({"mounts": [DATA, DATA | {"name": "b"}]}, "mounts.b.mount_path: '/data' is taken"),
        (
            {
                "mounts": [DATA],
                "home": {"source": {"type": "empty_dir"}, "mount_path": "/data"},
            },
            "mounts.data.mount_path: '/data' is taken",
        ),
        (
            {"mounts": [DATA | {"source": {"type": "claim", "claim": "x"}}]},
            "mounts.data: there is no claim 'x'",
        ),
        (
            {
                "mounts": [DATA | {"source": {"type": "claim", "claim": "x"}}],
                "claims": {"x": {"per": "group", "groups": ["a"]}},
            },
            "mounts.data: 'x' is per group; say groups",
        ),
        (
            {
                "mounts": [
                    DATA
                    | {"source": {"type": "claim", "claim": "x"}}
                    | {"mount_path": "/g/{group}", "groups": ["a", "b"]}
                ],
                "claims": {"x": {"per": "group", "groups": ["a"]}},
            },
            "mounts.data.groups: claims.x has none for b",
        ),
        (
            {"mounts": [DATA | {"sub_path": "x", "directory_mode": "2770"}]},
            "directory_mode needs init.create",
        ),
        ({"init": {"create": "chown"}}, "init.image: needed"),
    ],
)
def test_errors_of_the_section(section: dict[str, Any], problem: str) -> None:
    mounts = [{"allow_all": True, **mount} for mount in section.get("mounts", [])]
    with pytest.raises(ValidationError) as error:
        StorageSettings.model_validate({**section, "mounts": mounts})
    assert problem in str(error.value)


NAMES = st.text(min_size=1, max_size=12)


@given(NAMES, st.lists(NAMES, max_size=4, unique=True))
def test_d15_no_name_becomes_more_than_one_component(user: str, groups: list[str]) -> None:
    try:
        own = rule(allow_all=True, sub_path="{username}", mount_path="/data/{username}")
        shared = rule(name="g", groups=groups, sub_path="{group}", mount_path="/g/{group}")
        mounted = mounts_of([own, shared], owner(*groups, user=user), {})
    except (ValidationError, StorageRefused):
        return
    for mount in mounted.volumes.mounts:
        assert mount["subPath"] in (user, *groups)
        assert "/" not in mount["subPath"]
        assert mount["subPath"] not in (".", "..", "")


def test_rules_are_not_changed_by_use() -> None:
    """D-40: after a hundred starts of two people the rules are what they were."""
    rules = [rule(allowed_groups=["lab"]), rule(name="b", mount_path="/b", allow_all=True)]
    before = [item.model_dump_json() for item in rules]
    counts = {
        len(mounts_of(rules, owner(*groups), {}).volumes.mounts) for groups in [("lab",), ()] * 50
    }
    assert counts == {1, 2}
    assert [item.model_dump_json() for item in rules] == before


def test_experiment_data_example() -> None:
    """All data sets for reading; what an experiment makes, for whoever is in the experiment."""
    section = StorageSettings.model_validate(
        {
            "mounts": [
                {
                    "name": "datasets",
                    "mount_path": "/experiments/datasets",
                    "source": NFS | {"path": "/exports/experiments/datasets"},
                    "read_only": True,
                    "allow_all": True,
                },
                {
                    "name": "outputs",
                    "mount_path": "/experiments/outputs/{group}",
                    "source": NFS | {"path": "/exports/experiments/outputs"},
                    "sub_path": "{group}",
                    "groups": ["exp-7", "exp-42"],
                    "directory_mode": "2770",
                },
            ],
            "init": INIT,
        }
    )
    person = owner(gids={"exp-42": 6042})
    assert places(mounts_of(section.mounts, person, {})) == {
        "/experiments/datasets": False,
        "/experiments/outputs/exp-42": True,
    }
    assert places(mounts_of(section.mounts, owner(), {})) == {"/experiments/datasets": False}


def test_nobodys_name_is_a_place_of_the_system() -> None:
    mounts = [rule(mount_path="/{username}", allow_all=True)]
    assert places(mounts_of(mounts, owner(), {})) == {"/ann": True}
    with pytest.raises(StorageRefused) as refused:
        mounts_of(mounts, owner(user="etc"), {})
    assert "'/etc' belongs to the system" in refused.value.detail
