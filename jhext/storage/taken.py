"""Places that the configuration of KubeSpawner mounts something at already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jhext.pod.nss import place

from .settings import StorageSettings


def taken(settings: StorageSettings, configured: Any) -> Iterator[tuple[str, str]]:
    """Tell what of the settings would be mounted where something else is.

    Templates are compared as they are written: what only turns out to be one place for some
    person is refused at that start.

    Parameters
    ----------
    settings
        The section ``storage``.
    configured
        ``KubeSpawner.volume_mounts``, as a list or a dict.

    Yields
    ------
    tuple of str
        Where it is written in the section, and the place.
    """
    mounts = configured.values() if isinstance(configured, Mapping) else configured
    places = {place(mount) for mount in mounts if isinstance(mount, Mapping)}
    wanted = {f"mounts.{mount.name}": mount.mount_path for mount in settings.mounts}
    if settings.home:
        wanted["home"] = settings.home.mount_path
    for name, path in wanted.items():
        if place({"mountPath": path}) in places:
            yield f"{name}.mount_path", path
