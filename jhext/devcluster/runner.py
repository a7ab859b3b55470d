"""The node: runs the pods that are assigned to it.

A container is a process of this machine, so this is no sandbox, and some things look other than
on a real node:

- Every pod sees the files of this machine. What keeps pods apart is their uid, when the cluster
  runs as root and they have different ones.
- Paths are rewritten in arguments and variables instead of being mounted (``mounts``). Nothing
  is read-only, and a path that a program has compiled in is the machine's.
- There is no cluster network and no DNS: services have no address that answers, which KubeSpawner
  needs for ``services_enabled`` and ``internal_ssl``.
- Not enforced are limits of memory and CPU, capabilities, seccomp, and ``runAsNonRoot``.
- Not run are liveness and startup probes, lifecycle hooks, and sidecars among init containers.
- Secrets and config maps in volumes do not change while the pod runs.
"""

from __future__ import annotations

import asyncio

from .pod import PodServices, PodWorker
from .resources import PODS, Object
from .store import Change

_SHUTDOWN_GRACE = 5.0
"""How long, in seconds, pods may take to end when the cluster stops."""


class PodRunner:
    """Keeps one worker for each pod on the node.

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
