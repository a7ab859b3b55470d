"""The ``mountpoints.json`` of LSST's jupyterhub-utils, as ``storage.mounts``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..profiles.finding import did_you_mean
from .imported import Imported, Notes, listed, mapping

_KEYS = frozenset(
    {"disabled", "mountpoint", "mode", "hostpath", "fileserver-host", "fileserver-export"}
)


def convert(entries: Any) -> Imported:
    """Convert a list of mount points. Everybody has them, as there.

    An entry becomes a directory of the nodes where it says ``hostpath``, and an NFS export
    otherwise, by default ``/exports`` and the mount point. It is read-only unless its ``mode`` is
    ``rw``. What the old hub took from its own configuration, the file server, has to be written.

    Raises
    ------
    ConfigurationError
        It is no list of mappings.
    """
    notes, mounts, names = Notes(), list[dict[str, Any]](), set[str]()
    for number, item in enumerate(listed(entries, "mountpoints")):
        where = f"mountpoints[{number}]"
        entry = mapping(item, where)
        if unknown := sorted(set(entry) - _KEYS):
            suggestion = did_you_mean(unknown[0], _KEYS, "take it out")
            notes.add(where, unknown[0], "is not known and nothing is mounted", suggestion)
        elif not entry.get("disabled") and (source := _source(entry, where, notes)):
            name = _name(entry["mountpoint"], names)
            mounts.append(_mount(name, entry, source))
    return Imported({"storage": {"mounts": mounts}}, tuple(notes.found))


def _source(entry: Mapping[str, Any], where: str, notes: Notes) -> dict[str, Any] | None:
    if not isinstance(entry.get("mountpoint"), str) or not entry["mountpoint"].strip("/"):
        suggestion = "write the path in the container"
        notes.add(where, "mountpoint", "is missing and nothing is mounted", suggestion)
        return None
    if path := entry.get("hostpath"):
        return {"type": "host_path", "path": path}
    if host := entry.get("fileserver-host"):
        path = entry.get("fileserver-export") or f"/exports{_place(entry)}"
        return {"type": "nfs", "server": host, "path": path}
    message = "is that of the old hub's configuration, and nothing is mounted without"
    notes.add(where, "fileserver-host", message, "write the name of the file server")
    return None


def _place(entry: Mapping[str, Any]) -> str:
    return "/" + str(entry["mountpoint"]).strip("/")


def _mount(name: str, entry: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    mount = {"name": name, "mount_path": _place(entry), "source": dict(source), "allow_all": True}
    return mount if entry.get("mode") == "rw" else {**mount, "read_only": True}


def _name(mountpoint: str, taken: set[str]) -> str:
    """Make a name of a path, which no other entry has."""
    words: Iterable[str] = re.findall("[a-z0-9]+", mountpoint.lower())
    base = "-".join(words)[:32].strip("-")
    base = base if base[:1].isalpha() else f"m-{base}".rstrip("-")
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    taken.add(name)
    return name
