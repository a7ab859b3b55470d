"""One server program of the test cluster: started, stopped, and started again as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jhext.demo.processes import Child, Children

START_SECONDS = 120  # a bound for a machine with much else to do
# Go's programs clear their memory less often: they have little of it, and not for long.
ENVIRONMENT = {"GOGC": "400"}


@dataclass
class Server:
    """A program that answers `ready` when it has started, and logs to `<name>.log`."""

    children: Children
    name: str
    command: list[str]
    directory: Path
    ready: Callable[[], bool]
    _child: Child | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self._child = self.children.start(
            self.name,
            self.command,
            env=os.environ | ENVIRONMENT,
            cwd=self.directory,
            log=self.directory / f"{self.name}.log",
        )
        self._child.wait_until(self.ready, START_SECONDS)

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.process.poll() is None

    def kill(self) -> None:
        """End it without a warning, as a crash does."""
        if self._child:
            self._child.kill()
