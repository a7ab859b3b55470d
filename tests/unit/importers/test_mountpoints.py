"""LSST's mountpoints.json: what it mounts, and what it leaves to the hub's configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jhext.importers.mountpoints import convert
from jhext.profiles.access import Person
from jhext.profiles.finding import ConfigurationError
from jhext.settings import load_settings
from jhext.storage.mounts import mounts_of
from jhext.storage.volumes import Owner

HOST = {"fileserver-host": "10.0.0.7"}
MOUNTPOINTS = json.dumps(
    [
        {"mountpoint": "/project", "mode": "rw", **HOST},
        {"mountpoint": "scratch", "mode": "rw", "hostpath": "/data/scratch"},
        {"mountpoint": "/datasets", **HOST, "fileserver-export": "/lsst/datasets"},
        {"mountpoint": "/software", "mode": "ro", **HOST},
        {"mountpoint": "/teststand", "disabled": True, **HOST},
    ]
)


def test_mountpoints_of_the_seed_are_mounted() -> None:
    imported = convert(json.loads(MOUNTPOINTS))
    assert imported.notes == ()
    storage = load_settings(imported.settings).storage
    assert storage
    mounted = mounts_of(storage.mounts, Owner(Person("ann")), {}).volumes
    places = {
        mount["mountPath"]: (mount["name"], mount.get("readOnly")) for mount in mounted.mounts
    }
    volumes = {volume.pop("name"): volume for volume in map(dict, mounted.volumes)}
    found = {path: (volumes[name], read_only) for path, (name, read_only) in places.items()}
    assert found == {
        "/project": ({"nfs": {"server": "10.0.0.7", "path": "/exports/project"}}, None),
        "/scratch": ({"hostPath": {"path": "/data/scratch", "type": "Directory"}}, None),
        "/datasets": ({"nfs": {"server": "10.0.0.7", "path": "/lsst/datasets"}}, True),
        "/software": ({"nfs": {"server": "10.0.0.7", "path": "/exports/software"}}, True),
    }


@pytest.mark.parametrize(
    ("entry", "note"),
    [
        ({"mountpoint": "/a"}, "fileserver-host: is that of the old hub's configuration"),
        ({"mountpoint": "/", **HOST}, "mountpoint: is missing"),
        (HOST, "mountpoint: is missing"),
        ({"mountpoint": "/a", "kubernetes-volume": "x"}, "kubernetes-volume: is not known"),
    ],
)
def test_what_cannot_be_mounted_is_told(entry: dict[str, Any], note: str) -> None:
    imported = convert([entry])
    assert imported.settings == {"storage": {"mounts": []}}
    assert note in str(imported.notes[0])


def test_names_are_unique() -> None:
    entries = [{"mountpoint": path, **HOST} for path in ("/a/b", "/a-b", "/7", "/A_b")]
    mounts = convert(entries).settings["storage"]["mounts"]
    assert [mount["name"] for mount in mounts] == ["a-b", "a-b-2", "m-7", "a-b-3"]


@pytest.mark.parametrize("value", [{"mountpoint": "/a"}, "text", ["text"]])
def test_something_else_is_an_error(value: Any) -> None:
    with pytest.raises(ConfigurationError):
        convert(value)
