"""Homes are under their roots, whatever people are called and whatever directories say."""

from __future__ import annotations

import posixpath
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from jhext.storage.errors import StorageReason, StorageRefused
from jhext.storage.home import VOLUME, HomeSettings, home_of
from jhext.storage.paths import Root, implied_root, place
from tests.unit.storage.claims_of import identified, owner

ROOTS = (Root(path="/u", node="/gpfs/fs1/u", container="/home"), Root(path="/nfs/2"))


def found(path: str, whose: Any, roots: tuple[Root, ...] = ()) -> str:
    return place(path, roots, whose).path


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/home/{username}", "/home/rachel"),
        ("/home/{initial}/{username}", "/home/r/rachel"),
        ("/home/{uid_mod_100}/{username}", "/home/34/rachel"),
        ("/home/{uid_mod_1000}/{uid}", "/home/234/1234"),
        ("//home//{username}/", "/home/rachel"),
        ("/home/{username}/hub", "/home/rachel/hub"),
        ("/home/{username}/{servername}", "/home/rachel/gpu"),
        ("/{username}", "/rachel"),
    ],
)
def test_layouts(template: str, path: str) -> None:
    assert found(template, identified("rachel", 1234, server="gpu")) == path


def test_default_server_adds_no_component() -> None:
    assert found("/home/{username}/{servername}", owner("rachel")) == "/home/rachel"


@pytest.mark.parametrize(
    ("home", "node", "container"),
    [
        ("/u/a/alice", "/gpfs/fs1/u/a/alice", "/home/a/alice"),
        ("/nfs/2/alice", "/nfs/2/alice", "/nfs/2/alice"),
        ("//u//alice/", "/gpfs/fs1/u/alice", "/home/alice"),
    ],
)
def test_nodes_and_containers_see_other_roots(home: str, node: str, container: str) -> None:
    seen = place("{home}", ROOTS, identified("alice", home=home))
    assert (seen.path, seen.container) == (node, container)


@pytest.mark.parametrize(
    "home",
    [
        None,
        "",
        "relative",
        "/etc",
        "/u",
        "/u/",
        "/us/alice",
        "/u/../etc/shadow",
        "/u/./alice",
        "/u/a\0b",
        "/u/a\nb",
        "/u/a:b",
        "/nfs/20/alice",
        "/u/\u202ealice",
    ],
)
def test_d15_home_of_a_directory_is_held_to_the_roots(home: str | None) -> None:
    with pytest.raises(StorageRefused) as refused:
        place("{home}", ROOTS, identified("alice", home=home))
    assert refused.value.reason is StorageReason.PATH
    assert refused.value.status_code == 409


@pytest.mark.parametrize(
    "user", ["..", ".", ".snapshot", "a/b", "/a", "a\0", "a\nb", "a:b", "", "x" * 256, "lost+found"]
)
def test_d16_names_that_are_no_component_are_refused(user: str) -> None:
    with pytest.raises(StorageRefused):
        place("/home/{username}", (), owner(user))


@given(user=st.text(max_size=80), other=st.text(max_size=80))
def test_d16_no_two_people_share_a_home_and_none_leaves_the_root(user: str, other: str) -> None:
    assume(user != other)
    paths = []
    for name in (user, other):
        try:
            paths.append(found("/home/{initial}/{username}", owner(name)))
        except StorageRefused:
            continue
    assert len(set(paths)) == len(paths)
    assert all(posixpath.normpath(path) == path for path in paths)
    assert all(path.startswith("/home/") and path.count("/") == 3 for path in paths)


LAYOUTS = (
    "/home/{username}",
    "/home/{username}/{servername}",
    "/home/{initial}/{username}/{servername}",
    "/home/{initial}/{username}/servers/{servername}",
    "/home/{uid_mod_100}/{uid}/{servername}",
    "/home/{uid}/{username}",
)
NAMES = st.text("ab.-/", max_size=4)


@given(
    template=st.sampled_from(LAYOUTS), who=st.tuples(NAMES, NAMES), servers=st.tuples(NAMES, NAMES)
)
def test_d16_nobodys_home_is_in_that_of_another(
    template: str, who: tuple[str, str], servers: tuple[str, str]
) -> None:
    """Whatever people call themselves and their servers; and each layout is one that is taken."""
    HomeSettings.model_validate({"source": {"type": "host_path", "path": template}})
    assume(who[0] != who[1])
    paths = []
    for name, uid, server in zip(who, (1001, 1101), servers, strict=True):
        try:
            paths.append(found(template, identified(name, uid, server=server)) + "/")
        except StorageRefused:
            return
    assert not paths[0].startswith(paths[1])
    assert not paths[1].startswith(paths[0])


def test_root_of_a_template() -> None:
    assert implied_root("/data/homes/u-{username}").path == "/data/homes"
    assert implied_root("/{username}").path == "/"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({"type": "host_path", "path": "/home"}, "share one home"),
        ({"type": "host_path", "path": "home/{username}"}, "no absolute path"),
        ({"type": "host_path", "path": "/home/{initial}{username}"}, "put a /"),
        ({"type": "host_path", "path": "/home/{uid_mod_100}"}, "share one home"),
        ({"type": "host_path", "path": "/home/{usrname}"}, "did you mean"),
        ({"type": "host_path", "path": "{home}"}, "roots"),
        ({"type": "host_path", "path": "/home/{servername}/{username}"}, "after {username}"),
        ({"type": "host_path", "path": "/{initial}/{servername}/{uid}"}, "after {uid}"),
        ({"type": "shared_claim", "claim": "c", "sub_path": "{servername}/{uid}"}, "after {uid}"),
        ({"type": "host_path", "path": "{home}/x", "roots": [{"path": "/u"}]}, "absolute"),
        (
            {"type": "nfs", "server": "s", "path": "/{username}", "roots": [{"path": "/a/.."}]},
            "'..'",
        ),
        ({"type": "shared_claim", "claim": "c", "sub_path": "/{username}"}, "without a /"),
        ({"type": "csi", "driver": "d", "attributes": {"a": "{home}"}}, "unknown field"),
    ],
)
def test_bad_sources_are_found_before_anybody_starts(source: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        HomeSettings.model_validate({"source": source})


@pytest.mark.parametrize(
    ("source", "volume", "more"),
    [
        ({"type": "claim"}, {"persistentVolumeClaim": {"claimName": "claim-ann"}}, {}),
        (
            {"type": "shared_claim", "claim": "home", "sub_path": "{initial}/{username}"},
            {"persistentVolumeClaim": {"claimName": "claim-ann"}},
            {"subPath": "a/ann"},
        ),
        (
            {"type": "nfs", "server": "fs", "path": "/export/{username}"},
            {"nfs": {"server": "fs", "path": "/export/ann"}},
            {},
        ),
        (
            {"type": "host_path", "path": "/home/{username}"},
            {"hostPath": {"path": "/home/ann", "type": "Directory"}},
            {},
        ),
        (
            {"type": "csi", "driver": "d", "attributes": {"s": "//f/{uid}"}, "secret": "s"},
            {
                "csi": {
                    "driver": "d",
                    "volumeAttributes": {"s": "//f/1001"},
                    "nodePublishSecretRef": {"name": "s"},
                }
            },
            {},
        ),
        ({"type": "empty_dir", "size_limit": "1Gi"}, {"emptyDir": {"sizeLimit": "1Gi"}}, {}),
    ],
)
def test_volume_and_mount(source: Any, volume: Any, more: Any) -> None:
    settings = HomeSettings.model_validate({"source": source, "mount_path": "/home/{username}"})
    volumes = home_of(settings, identified("ann"), {"home": "claim-ann"})
    assert volumes.volumes == ({"name": VOLUME, **volume},)
    assert volumes.mounts == ({"name": VOLUME, "mountPath": "/home/ann", **more},)
    assert volumes.home_mount == "/home/ann"


def test_container_can_see_the_path_itself() -> None:
    source = {
        "type": "nfs",
        "server": "s",
        "path": "{home}",
        "roots": [root.model_dump() for root in ROOTS],
    }
    settings = HomeSettings.model_validate({"source": source, "mount_path": "{path}"})
    volumes = home_of(settings, identified("alice", home="/u/a/alice"), {})
    assert volumes.home_mount == "/home/a/alice"


def test_home_that_looks_like_a_template_is_none() -> None:
    source = {"type": "nfs", "server": "s", "path": "{home}", "roots": [{"path": "/u"}]}
    settings = HomeSettings.model_validate({"source": source, "mount_path": "{path}"})
    volumes = home_of(settings, identified("alice", home="/u/{uid}"), {})
    assert volumes.home_mount == "/u/{uid}"


@pytest.mark.parametrize(
    ("mount_path", "home"), [("/{username}", "/u/ann"), ("{path}", "/etc"), ("{path}", "/proc/ann")]
)
def test_nobodys_name_or_home_is_a_place_of_the_system(mount_path: str, home: str) -> None:
    source = {"type": "nfs", "server": "s", "path": "{home}", "roots": [{"path": "/"}]}
    settings = HomeSettings.model_validate({"source": source, "mount_path": mount_path})
    with pytest.raises(StorageRefused) as refused:
        home_of(settings, identified("etc", home=home), {})
    assert "belongs to the system" in refused.value.detail


@pytest.mark.parametrize(
    "path", ["/", "home", "/home/../etc", "/home/{gid}", "/etc", "/proc/{username}", "/jhext/a"]
)
def test_bad_mount_paths_are_found_before_anybody_starts(path: str) -> None:
    with pytest.raises(ValidationError, match="mount_path"):
        HomeSettings.model_validate({"source": {"type": "empty_dir"}, "mount_path": path})
