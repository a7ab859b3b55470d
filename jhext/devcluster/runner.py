"""The node: runs the pods that are assigned to it."""

from __future__ import annotations

import asyncio

from .pod import PodServices, PodWorker
from .resources import PODS, Object
from .store import Change

_SHUTDOWN_GRACE = 5.0
"""How long, in seconds, pods may take to end when the cluster stops."""


class PodRunner:
    """Keeps one worker for each pod on the node.

    There is no mount namespace and no network namespace: see ``mounts`` and ``command`` for what
    stands in for them. Not enforced are memory and CPU limits, read-only mounts and file systems,
    capabilities, and seccomp; not run are liveness and startup probes, lifecycle hooks, and
    sidecars among the init containers. Every pod sees the files of this machine.

    Parameters
    ----------
    node
        The node's name.
    """

    def __init__(self, services: PodServices, node: str) -> None:
        self._services = services
        self._node = node
        self._workers: dict[str, PodWorker] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def react(self, change: Change) -> None:
        """Start, change or end the pod that a change is about."""
        if change.resource is not PODS or change.object["spec"].get("nodeName") != self._node:
            return
        pod = change.object
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if change.type == "DELETED":
            if worker:
                del self._workers[uid]
                worker.end(0)
                task = asyncio.create_task(worker.ended())
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
        elif worker:
            worker.update(pod)
        elif not _is_finished(pod):
            worker = self._workers[uid] = PodWorker(pod, self._services)
            worker.update(pod)

    async def close(self) -> None:
        """End every pod, and wait until their processes are gone."""
        for worker in self._workers.values():
            worker.end(_SHUTDOWN_GRACE)
        workers = list(self._workers.values())
        await asyncio.gather(*self._ending, *(worker.ended() for worker in workers))


def _is_finished(pod: Object) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed")
