"""Names for ids, in every container."""

import posixpath
from dataclasses import replace

import pytest

from jhext.identity.model import Group
from jhext.pod.manifest import containers
from jhext.pod.nss import (
    GROUP,
    MAX_ANNOTATIONS,
    PASSWD,
    annotations_of,
    annotations_size,
    group_text,
    mount,
    passwd_text,
)
from jhext.pod.settings import BASE_GROUP, BASE_PASSWD, PodSettings
from tests.unit.pod.pods import ANN, CLOUD_METADATA, kubespawner_pod

TEXTS = annotations_of(ANN, "/home/ann", PodSettings())


def test_passwd() -> None:
    assert passwd_text(ANN, "/home/ann", BASE_PASSWD) == (
        "root:x:0:0:root:/root:/usr/sbin/nologin\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
        "ann:x:1001:2001:Ann Lee:/home/ann:/bin/bash\n"
    )


def test_group() -> None:
    assert group_text(ANN, BASE_GROUP) == (
        "root:x:0:\nusers:x:100:\nnogroup:x:65534:\nstaff:x:2001:\nlab:x:5001:ann\ngpu:x:5003:ann\n"
    )


@pytest.mark.parametrize("base", ["", "ann:x:7:7::/:\n", "other:x:1001:7::/:\n"])
def test_a_line_for_the_same_name_or_number_makes_way(base: str) -> None:
    assert passwd_text(ANN, "/", base) == "ann:x:1001:2001:Ann Lee:/:/bin/bash\n"


def test_a_group_line_for_the_same_name_or_number_makes_way() -> None:
    assert group_text(replace(ANN, groups=()), "staff:x:2001:\nann:x:5:\nx:x:6:\n") == (
        "x:x:6:\nann:x:2001:\n"
    )


def test_a_primary_group_without_a_name_gets_one() -> None:
    assert group_text(replace(ANN, groups=()), "") == "ann:x:2001:\n"
    taken = replace(ANN, groups=(Group("ann", 7),))
    assert group_text(taken, "") == "gid2001:x:2001:\nann:x:7:ann\n"


def test_both_files_are_in_every_container_and_cannot_be_written() -> None:
    manifest = kubespawner_pod()
    mount(manifest, TEXTS, frozenset())
    assert manifest["metadata"]["annotations"]["hub.jupyter.org/username"] == "ann"
    assert manifest["spec"]["volumes"][0]["name"] == "home"
    for _, container in containers(manifest):
        found = {item["mountPath"]: item for item in container["volumeMounts"]}
        for name in ("passwd", "group"):
            assert found[f"/etc/{name}"] == {
                "name": "jhext-nss",
                "mountPath": f"/etc/{name}",
                "subPath": name,
                "readOnly": True,
            }
    volume = manifest["spec"]["volumes"][-1]["downwardAPI"]
    assert oct(volume["defaultMode"]) == "0o444"
    assert {item["path"]: item["fieldRef"]["fieldPath"] for item in volume["items"]} == {
        "passwd": f"metadata.annotations['{PASSWD}']",
        "group": f"metadata.annotations['{GROUP}']",
    }


def test_a_listed_container_gets_none() -> None:
    manifest = kubespawner_pod(init_containers=[CLOUD_METADATA])
    mount(manifest, TEXTS, frozenset({"block-cloud-metadata", "notebook"}))
    assert manifest["spec"]["initContainers"][0] == CLOUD_METADATA
    assert len(manifest["spec"]["containers"][0]["volumeMounts"]) == 3


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/etc//passwd", "/etc/x/../passwd", "//etc/passwd/", "/etc/./group"]
)
def test_d21_nothing_else_is_mounted_in_their_places(path: str) -> None:
    manifest = kubespawner_pod(
        volumes=[{"name": "jhext-nss", "hostPath": {"path": "/"}}],
        volume_mounts=[{"name": "jhext-nss", "mountPath": path}],
    )
    mount(manifest, TEXTS, frozenset())
    places = [
        posixpath.normpath(item["mountPath"])
        for item in manifest["spec"]["containers"][0]["volumeMounts"]
    ]
    assert places == ["/etc/passwd", "/etc/group"]
    assert [list(volume) for volume in manifest["spec"]["volumes"]] == [["name", "downwardAPI"]]


def test_annotations_are_counted_as_kubernetes_counts_them() -> None:
    manifest = kubespawner_pod(annotations={"a": "é" * 10})
    assert annotations_size(manifest) == 21
    assert annotations_size({"metadata": {}, "spec": {}}) == 0
    assert MAX_ANNOTATIONS == 262_144
