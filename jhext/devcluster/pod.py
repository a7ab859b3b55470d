"""The life of one pod on the node: volumes, init containers, containers, and its end."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .address import PodAddresses
from .command import build_command
from .container import Container
from .credentials import CredentialCheck, Credentials, requested_credentials
from .directories import (
    Owner,
    UnsafePathError,
    link_below,
    make_passage,
    make_root,
    share,
    unlink_below,
)
from .environment import container_environment
from .errors import ApiError
from .events import EventRecorder
from .logs import LogFiles
from .lookup import ReferenceNotFoundError
from .process import Command
from .registry import DeleteOptions, Registry
from .resources import PODS, Object
from .status import pod_status
from .volumes import VolumeDirectories, claim_directory, make_mounts, make_volumes

_RETRY_SECONDS = 2.0


@dataclass(frozen=True)
class PodServices:
    """What the pods of a node share.

    Attributes
    ----------
    state
        The directory below which everything is kept.
    capacity
        What the node has.
    backoff
        Seconds before the second restart of a container.
    """

    registry: Registry
    recorder: EventRecorder
    logs: LogFiles
    addresses: PodAddresses
    credentials: CredentialCheck
    state: Path
    capacity: Mapping[str, str]
    backoff: float


class PodWorker:
    """Runs one pod from the time that it is on the node until it is gone.

    Parameters
    ----------
    pod
        The pod as it was assigned to the node.
    """

    def __init__(self, pod: Object, services: PodServices) -> None:
        self._pod = pod
        self._services = services
        self._directory = services.state / "pods" / pod["metadata"]["uid"]
        self._address = services.addresses.allocate()
        self._volumes: dict[str, Path] = {}
        self._links: set[tuple[Path, str, Path]] = set()
        self._end_asked = asyncio.Event()
        self._grace = float(pod["spec"]["terminationGracePeriodSeconds"])
        init = pod["spec"].get("initContainers") or ()
        first_state = "PodInitializing" if init else "ContainerCreating"
        self._init, self._main = (
            [self._container(field, spec, first_state) for spec in pod["spec"].get(field) or ()]
            for field in ("initContainers", "containers")
        )
        self._task = asyncio.create_task(self._run(), name=f"pod {pod['metadata']['name']}")

    def update(self, pod: Object) -> None:
        """Take note of the pod's present state: it may have been marked for deletion."""
        self._pod = pod
        grace = pod["metadata"].get("deletionGracePeriodSeconds")
        if "deletionTimestamp" in pod["metadata"]:
            self.end(float(grace or 0))

    def end(self, grace_seconds: float) -> None:
        """Begin to end the pod, or cut the grace short by none at all."""
        self._grace = min(self._grace, grace_seconds)
        if self._grace == 0:
            for container in (*self._init, *self._main):
                container.kill()
        self._end_asked.set()

    async def ended(self) -> None:
        """Wait until nothing of the pod is left but its logs."""
        await self._task

    # What happens

    async def _run(self) -> None:
        life = asyncio.create_task(self._live())
        asked = asyncio.create_task(self._end_asked.wait())
        try:
            await asyncio.wait({life, asked}, return_when=asyncio.FIRST_COMPLETED)
            if life.done() and (error := life.exception()):
                self._services.recorder.warning(self._pod, "FailedSync", repr(error))
            await asked
        finally:
            life.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await life
            asked.cancel()
            containers = [*self._init, *self._main]
            await asyncio.gather(*(container.stop(self._grace) for container in containers))
            self._services.addresses.release(self._address)
            for link in self._links:
                with suppress(OSError, UnsafePathError):
                    unlink_below(*link)
            await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)
            self._forget()

    async def _live(self) -> None:
        self._publish()
        await self._make_directories()
        policy = self._pod["spec"]["restartPolicy"]
        for container in self._init:
            code = await container.run("Never" if policy == "Never" else "OnFailure")
            if code:
                return
        async with asyncio.TaskGroup() as group:
            for container in self._main:
                group.create_task(container.run(policy))

    def _publish(self) -> None:
        """Write the pod's status, unless it is gone."""
        metadata = self._pod["metadata"]
        store = self._services.registry.store
        current = store.find(PODS, metadata["namespace"], metadata["name"])
        if current is None or current["metadata"]["uid"] != metadata["uid"]:
            return
        status = pod_status(
            current,
            init=[container.status for container in self._init],
            main=[container.status for container in self._main],
            address=self._address,
            host=self._services.addresses.host,
        )
        self._pod = {**current, "status": status}
        if status != current["status"]:
            store.put(PODS, self._pod)

    def _forget(self) -> None:
        """Delete the pod for good: its processes are gone."""
        metadata = self._pod["metadata"]
        with suppress(ApiError):
            self._services.registry.delete(
                PODS,
                metadata["namespace"],
                metadata["name"],
                DeleteOptions(grace_period=0, uid=metadata["uid"]),
            )

    # What the containers get

    def _container(self, field: str, spec: Object, first_state: str) -> Container:
        part = f"spec.{field}{{{spec['name']}}}"

        def normal(reason: str, message: str) -> None:
            self._services.recorder.normal(self._pod, reason, message, part=part)

        def warning(reason: str, message: str) -> None:
            self._services.recorder.warning(self._pod, reason, message, part=part)

        return Container(
            spec,
            prepare=lambda arguments: self._command(spec, arguments),
            log=lambda run: self._services.logs.path(self._pod, spec["name"], run),
            address=self._address,
            first_state=first_state,
            backoff=self._services.backoff,
            changed=self._publish,
            normal=normal,
            warning=warning,
        )

    async def _make_directories(self) -> None:
        """Make the volumes, waiting for what they refer to."""
        owner = self._owner(await self._credentials(self._pod["spec"]["containers"][0]))
        namespace = self._pod["metadata"]["namespace"]
        claims = claim_directory(self._services.state, namespace, "")
        exports = self._services.state / "nfs"
        directories = VolumeDirectories(self._directory / "volumes", claims, exports, owner)
        for passage in (self._directory, directories.own, claims):
            make_passage(passage)
        for private in ("home", "tmp"):
            make_root(self._directory / private, owner)
        while True:
            try:
                self._volumes = make_volumes(self._services.registry.store, self._pod, directories)
                break
            except (ReferenceNotFoundError, OSError) as problem:
                self._services.recorder.warning(self._pod, "FailedMount", str(problem))
                await asyncio.sleep(_RETRY_SECONDS)
        if owner and owner.shared:
            for volume in self._pod["spec"].get("volumes") or ():
                if not volume.keys() & {"hostPath", "nfs"}:  # a kubelet leaves these alone
                    await asyncio.to_thread(share, self._volumes[volume["name"]], owner.gid)

    async def _command(self, spec: Object, arguments: Sequence[str] | None) -> Command:
        credentials = await self._credentials(spec)
        owner = self._owner(credentials)
        home = self._directory / "home"
        variables = container_environment(
            self._services.registry.store, self._pod, spec, self._services.capacity
        )
        mounts = make_mounts(spec, variables, self._volumes, owner, home)
        for link in mounts.nested():
            link_below(*link, owner)
            self._links.add(link)
        return build_command(
            self._pod,
            spec,
            variables,
            mounts,
            arguments=arguments,
            private=self._directory,
            credentials=credentials,
        )

    async def _credentials(self, spec: Object) -> Credentials | None:
        """Return the ids to run under, or None for the cluster's own."""
        if os.geteuid() != 0:
            return None
        wanted = requested_credentials(self._pod, spec)
        problem = await self._services.credentials.problem(wanted, self._services.state)
        if problem is None:
            return wanted
        self._services.recorder.warning(
            self._pod,
            "FailedRunAsUser",
            f"uid {wanted.uid} cannot use the Python environment, the cluster's own uid is "
            f"used instead: {problem}",
        )
        return None

    def _owner(self, credentials: Credentials | None) -> Owner | None:
        if credentials is None:
            return None
        fs_group = (self._pod["spec"].get("securityContext") or {}).get("fsGroup")
        if fs_group is None:
            return Owner(credentials.uid, credentials.gid)
        return Owner(credentials.uid, int(fs_group), shared=True)
