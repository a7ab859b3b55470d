"""The life of one container: pulled, started, probed, started again after it has failed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from .clock import timestamp
from .command import NoSuchCommandError
from .directories import UnsafePathError
from .lookup import ReferenceNotFoundError
from .probe import watch_readiness
from .process import Command, Process
from .resources import Object
from .shim import CANNOT_START
from .status import ContainerStatus, terminated, waiting

UNPULLABLE_PREFIX = "unpullable/"
"""Images whose name begins so cannot be pulled. Every other image is the running environment."""

_MAX_BACKOFF = 300.0
_RETRY_SECONDS = 2.0

Note = Callable[[str, str], None]
"""Takes the reason and the message of an event about the container."""


class Container:
    """One container of a pod.

    Parameters
    ----------
    prepare
        Resolves what is to run, before every start: the given command, or the container's own.
    log
        Returns the log file of a run, which counts from 0.
    first_state
        The reason why it does not run yet.
    backoff
        Seconds before the second restart; it doubles from there, up to five minutes.
    changed
        Is called when ``status`` has changed.
    """

    def __init__(
        self,
        spec: Object,
        *,
        prepare: Callable[[Sequence[str] | None], Awaitable[Command]],
        log: Callable[[int], Path],
        address: str,
        first_state: str,
        backoff: float,
        changed: Callable[[], None],
        normal: Note,
        warning: Note,
    ) -> None:
        self.spec = spec
        self.status = ContainerStatus(spec["name"], spec["image"], waiting(first_state))
        self._prepare = prepare
        self._log = log
        self._address = address
        self._backoff = backoff
        self._changed = changed
        self._normal = normal
        self._warning = warning
        self._process: Process | None = None
        self._started_at = ""

    async def run(self, restart_policy: str) -> int:
        """Run the container until the policy lets it rest; return its last exit code.

        Cancelled, it leaves the process running: ``stop`` ends that.
        """
        await self._pull()
        delay = 0.0
        while True:
            code = await self._run_once()
            if restart_policy == "Never" or (restart_policy == "OnFailure" and code == 0):
                return code
            if delay:
                message = f"back-off {delay:g}s restarting failed container={self.spec['name']}"
                self._update(
                    state=waiting("CrashLoopBackOff", message), last_state=self.status.state
                )
                self._warning("BackOff", "Back-off restarting failed container")
                await asyncio.sleep(delay)
            else:
                self._update(last_state=self.status.state)
            delay = min(max(self._backoff, 2 * delay), _MAX_BACKOFF)
            self._update(restart_count=self.status.restart_count + 1)

    async def stop(self, grace_seconds: float) -> None:
        """End the process, if there is one, and note how it ended."""
        if self._process is None:
            return
        self._normal("Killing", f"Stopping container {self.spec['name']}")
        code = await self._process.terminate(grace_seconds)
        self._ended(code)

    def kill(self) -> None:
        """Cut the grace short that ``stop`` gives."""
        if self._process:
            self._process.kill()

    def _update(self, **changes: object) -> None:
        self.status = replace(self.status, **changes)  # type: ignore[arg-type]
        self._changed()

    async def _pull(self) -> None:
        image = self.spec["image"]
        if not image.startswith(UNPULLABLE_PREFIX):
            self._normal("Pulled", f'Container image "{image}" already present on machine')
            return
        while True:
            self._normal("Pulling", f'Pulling image "{image}"')
            problem = (
                f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
                "not found"
            )
            self._warning("Failed", f'Failed to pull image "{image}": {problem}')
            self._warning("Failed", "Error: ErrImagePull")
            self._update(state=waiting("ErrImagePull", problem))
            await asyncio.sleep(_RETRY_SECONDS)
            message = f'Back-off pulling image "{image}"'
            self._normal("BackOff", message)
            self._warning("Failed", "Error: ImagePullBackOff")
            self._update(state=waiting("ImagePullBackOff", message))
            await asyncio.sleep(self._backoff)

    async def _run_once(self) -> int:
        command = await self._prepared()
        if command is None:
            return CANNOT_START
        log = self._log(self.status.restart_count)
        log.parent.mkdir(parents=True, exist_ok=True)
        name = self.spec["name"]
        self._normal("Created", f"Created container {name}")
        self._started_at = timestamp()
        try:
            self._process = await Process.start(command, log)
        except OSError as error:
            return self._cannot_start(error)
        self._normal("Started", f"Started container {name}")
        probed = "readinessProbe" in self.spec
        self._update(state={"running": {"startedAt": self._started_at}}, ready=not probed)
        probe = asyncio.create_task(self._probe()) if probed else None
        try:
            code = await self._process.wait()
        finally:
            if probe:
                probe.cancel()
                with suppress(asyncio.CancelledError):
                    await probe
        self._ended(code)
        return code

    async def _prepared(self) -> Command | None:
        """Return what to run, waiting for what is missing; None when it can never be run."""
        while True:
            try:
                return await self._prepare(None)
            except NoSuchCommandError as error:
                self._started_at = timestamp()
                self._cannot_start(error)
                return None
            except (ReferenceNotFoundError, UnsafePathError, OSError) as problem:
                self._warning("Failed", f"Error: {problem}")
                self._update(state=waiting("CreateContainerConfigError", str(problem)))
                await asyncio.sleep(_RETRY_SECONDS)

    def _cannot_start(self, error: OSError) -> int:
        message = f"failed to create containerd task: {error}"
        self._warning("Failed", f"Error: {message}")
        state = terminated(CANNOT_START, "StartError", self._started_at, message)
        self._update(state=state, ready=False)
        return CANNOT_START

    def _ended(self, code: int) -> None:
        self._process = None
        reason = "Completed" if code == 0 else "Error"
        self._update(state=terminated(code, reason, self._started_at), ready=False)

    async def _probe(self) -> None:
        await watch_readiness(
            self.spec,
            self._address,
            execute=self._execute,
            ready=lambda ready: self._update(ready=ready),
            unhealthy=lambda problem: self._warning("Unhealthy", problem),
        )

    async def _execute(self, argv: Sequence[str]) -> int:
        process = await Process.start(await self._prepare(argv), Path(os.devnull))
        try:
            return await process.wait()
        finally:
            await process.terminate(0)
