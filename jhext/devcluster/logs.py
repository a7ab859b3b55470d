"""The log files of containers: where they are, and how they are read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from .resources import Object

_CHUNK = 65536
_POLL_SECONDS = 0.2


class LogFiles:
    """One file for each run of each container, in the layout of a kubelet.

    Parameters
    ----------
    directory
        Where the files are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, pod: Object, container: str, run: int) -> Path:
        """Return the file of a container's run, which counts from 0."""
        metadata = pod["metadata"]
        pod_directory = f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
        return self._directory / pod_directory / container / f"{run}.log"


async def read_log(
    path: Path, *, tail_lines: int | None, goes_on: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Yield what a log file holds, and what is added to it while ``goes_on`` says so.

    Parameters
    ----------
    tail_lines
        How many lines before the end to begin at; None for the whole file.
    """
    with path.open("rb") as file:
        if tail_lines is not None:
            file.seek(await asyncio.to_thread(_tail_offset, path, tail_lines))
        while True:
            # Asked before reading, so that what is written last is not missed.
            last = not goes_on()
            while chunk := file.read(_CHUNK):
                yield chunk
            if last:
                return
            await asyncio.sleep(_POLL_SECONDS)


def _tail_offset(path: Path, lines: int) -> int:
    content = path.read_bytes()
    kept = content.splitlines(keepends=True)[-lines:] if lines else []
    return len(content) - sum(map(len, kept))
