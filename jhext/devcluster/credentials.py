"""The ids that a container's process runs under, and whether they can work on this machine."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from . import shim
from .resources import Object

_PROBE_SECONDS = 30.0
# Opens what every pod of the demo needs: the interpreter, the environment, a directory of its own.
_PROBE = "import os, sys, jupyterhub; os.chdir(sys.argv[1]); open(sys.argv[2]).close()"


@dataclass(frozen=True)
class Credentials:
    """A user, its group, and the further groups."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


IMAGE_USER = Credentials(1000, 100)
"""Who runs where the pod does not say: the ids of the jupyter/docker-stacks images' user."""


def requested_credentials(pod: Object, container: Object) -> Credentials:
    """Return the ids that a pod asks for; those of the container win over those of the pod."""
    of_pod = pod["spec"].get("securityContext") or {}
    of_container = container.get("securityContext") or {}

    def wanted(field: str, default: int) -> int:
        for context in (of_container, of_pod):
            if context.get(field) is not None:
                return int(context[field])
        return default

    groups = [int(group) for group in of_pod.get("supplementalGroups") or ()]
    if of_pod.get("fsGroup") is not None:
        groups.append(int(of_pod["fsGroup"]))
    return Credentials(
        wanted("runAsUser", IMAGE_USER.uid),
        wanted("runAsGroup", IMAGE_USER.gid),
        tuple(dict.fromkeys(groups)),
    )


class CredentialCheck:
    """Finds out by trying whether processes under other ids can use this Python environment.

    A checkout below a home directory of mode 0700 is out of their reach, for one.
    """

    def __init__(self) -> None:
        self._problems: dict[Credentials, asyncio.Task[str | None]] = {}

    async def problem(self, credentials: Credentials, directory: Path) -> str | None:
        """Return why a process under these ids could not work, or None when it could.

        Parameters
        ----------
        directory
            A directory that the process must be able to enter.
        """
        task = self._problems.get(credentials)
        if task is None:
            task = asyncio.create_task(self._probe(credentials, directory))
            self._problems[credentials] = task
        return await asyncio.shield(task)

    async def _probe(self, credentials: Credentials, directory: Path) -> str | None:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-c",
                _PROBE,
                str(directory),
                shim.__file__,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                cwd="/",
                env={},
                user=credentials.uid,
                group=credentials.gid,
                extra_groups=list(credentials.groups),
            )
            async with asyncio.timeout(_PROBE_SECONDS):
                _, output = await process.communicate()
        except TimeoutError:
            process.kill()
            return "it takes too long"
        except OSError as error:
            return str(error)
        if process.returncode == 0:
            return None
        lines = output.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {process.returncode}"
