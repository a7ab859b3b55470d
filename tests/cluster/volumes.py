"""Volumes that are directories of the node, which runs on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

AddVolume = Callable[[Path, str, str], None]
"""Make a volume out of a directory, of that name and with that access mode."""


@contextmanager
def volumes_of(client: httpx.Client, storage_class: str) -> Iterator[AddVolume]:
    """Yield what makes volumes of a class; they are taken away afterwards."""
    names = []

    def add(directory: Path, name: str, mode: str) -> None:
        spec = {
            "capacity": {"storage": "1Gi"},
            "accessModes": [mode],
            "storageClassName": storage_class,
            "hostPath": {"path": str(directory), "type": "Directory"},
        }
        body = {"metadata": {"name": name}, "spec": spec}
        client.post("/api/v1/persistentvolumes", json=body).raise_for_status()
        names.append(name)

    yield add
    for name in names:
        client.delete(f"/api/v1/persistentvolumes/{name}").raise_for_status()
