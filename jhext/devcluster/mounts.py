"""Where the files of a container are on this machine, and its paths rewritten accordingly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# A path stands alone, or in a list or an assignment: "PATH=/a:/b", "--dir=/a". What is part of a
# longer path or of a URL is left alone.
_BEFORE = r"(?<![\w./~-])"
_AFTER = r"(?=/|$|[\s:;,'\"])"


@dataclass(frozen=True)
class Mount:
    """A path in the container, and the file or directory here that stands for it."""

    path: str
    source: Path


class Mounts:
    """The mounts of one container.

    There is no mount namespace: instead of the file system, the texts that name paths are
    changed. A program with a path of the image compiled in does not find it.
    """

    def __init__(self, mounts: list[Mount]) -> None:
        # The root would be a part of every path; no runtime lets anything be mounted there.
        paths = {mount.path.rstrip("/"): mount.source for mount in mounts}
        self._sources = {path: source for path, source in paths.items() if path}
        longest_first = sorted(self._sources, key=len, reverse=True)
        alternatives = "|".join(map(re.escape, longest_first))
        pattern = f"{_BEFORE}({alternatives}){_AFTER}"
        self._pattern = re.compile(pattern) if self._sources else None

    def rewrite(self, text: str) -> str:
        """Return a text with every path below a mount replaced by the path here."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: str(self._sources[match[1]]), text)

    def covers(self, path: str) -> bool:
        """Return whether a path is a mount or below one."""
        pure = PurePosixPath(path)
        return any(str(part) in self._sources for part in (pure, *pure.parents))

    def nested(self) -> list[tuple[Path, str, Path]]:
        """Return the mounts that lie below another one.

        Each is the directory that stands for the outer one, the path of the inner one in it,
        and the source of the inner one.
        """
        found = []
        for path, source in self._sources.items():
            for parent in PurePosixPath(path).parents:
                if outer := self._sources.get(str(parent)):
                    inner = PurePosixPath(path).relative_to(parent)
                    found.append((outer, str(inner), source))
                    break
        return found
