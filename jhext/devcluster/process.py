"""One run of a container: a local process under the container's ids, and all that it starts."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import shim
from .credentials import Credentials

_SHIM_SECONDS = 5.0
"""How long the shim may take to kill what is left, before it is killed itself."""


@dataclass(frozen=True)
class Command:
    """What is to run, completely resolved.

    Attributes
    ----------
    credentials
        The ids to run under; None for the cluster's own.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    credentials: Credentials | None


class Process:
    """A running command."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Command, log: Path) -> Process:
        """Start a command, with its output added to the file ``log``.

        Raises
        ------
        OSError
            When no process can be started.
        """
        credentials = command.credentials
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                shim.__file__,
                *command.argv,
                stdin=PIPE,
                stdout=output,
                stderr=STDOUT,
                env=command.environment,
                cwd=command.directory,
                start_new_session=True,
                umask=0o022,
                user=credentials.uid if credentials else None,
                group=credentials.gid if credentials else None,
                extra_groups=list(credentials.groups) if credentials else None,
            )
        return cls(process)

    async def wait(self) -> int:
        """Wait until the command has ended and return its exit code, 128 + n for signal n."""
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    def kill(self) -> None:
        """Kill the command and all that it has started."""
        assert self._process.stdin is not None  # noqa: S101 - opened as a pipe by start()
        self._process.stdin.close()

    async def terminate(self, grace_seconds: float) -> int:
        """End the command and all that it has started, and return its exit code.

        It is asked to by SIGTERM, and killed ``grace_seconds`` later.
        """
        if grace_seconds > 0 and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    return await self.wait()
        self.kill()
        try:
            async with asyncio.timeout(_SHIM_SECONDS):
                return await self.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            return await self.wait()
