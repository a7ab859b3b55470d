"""A folder that changes as the kubelet changes a mounted ConfigMap."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Mapping
from pathlib import Path


class ConfigMap:
    """Write versions of some files in the kubelet's way.

    Each version is a folder of its own, to which the link ``..data`` is made to lead in one step;
    the files are links through ``..data``, and the version before is removed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count()
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> str:
        """Give the path of a file as it is configured."""
        return str(self.folder / name)

    def write(self, files: Mapping[str, str]) -> None:
        data = self.folder / "..data"
        before = data.resolve() if data.is_symlink() else None
        version = self.folder / f"..version_{next(self._numbers)}"
        version.mkdir()
        for name, text in files.items():
            (version / name).write_text(text)
        link = self.folder / "..data_tmp"
        link.symlink_to(version.name)
        os.replace(link, data)  # noqa: PTH105 - as the kubelet does it
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(Path("..data", name))
        for link in self.folder.iterdir():
            if link.is_symlink() and not link.exists():
                link.unlink()
        if before is not None:
            shutil.rmtree(before)
