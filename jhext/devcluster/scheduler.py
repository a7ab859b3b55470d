"""The scheduler: puts pods on the node, or says why it cannot."""

from __future__ import annotations

from collections.abc import Mapping

from .clock import timestamp
from .events import SCHEDULER, EventRecorder
from .registry import Registry
from .resources import CLAIMS, PODS, Object
from .scheduling import parse_amounts, why_unschedulable
from .store import Change


class Scheduler:
    """Assigns pods to the only node.

    Parameters
    ----------
    node
        The node's name.
    labels, capacity
        What the node has for pods to ask for.
    """

    def __init__(
        self,
        registry: Registry,
        recorder: EventRecorder,
        node: str,
        labels: Mapping[str, str],
        capacity: Mapping[str, str],
    ) -> None:
        self._registry = registry
        self._recorder = recorder
        self._node = node
        self._labels = labels
        self._capacity = parse_amounts(capacity)

    async def react(self, change: Change) -> None:
        """Try to place pods that are new, and all that wait when there may be room for them."""
        if change.resource is PODS and _is_pending(change.object) and change.type == "ADDED":
            self._schedule(change.object)
        elif change.resource is CLAIMS or (
            change.resource is PODS and not _uses_node(change.object, change.type)
        ):
            for pod in self._registry.store.items(PODS):
                if _is_pending(pod):
                    self._schedule(pod)

    def _schedule(self, pod: Object) -> None:
        store, metadata = self._registry.store, pod["metadata"]
        pod = store.find(PODS, metadata["namespace"], metadata["name"]) or pod
        if pod["metadata"]["uid"] != metadata["uid"] or not _is_pending(pod):
            return
        problem = self._missing_claim(pod) or why_unschedulable(
            pod,
            self._labels,
            self._capacity,
            [other for other in store.items(PODS) if _uses_node(other, "MODIFIED")],
        )
        if problem:
            self._refuse(pod, problem)
            return
        bound = self._registry.bind(metadata["namespace"], metadata["name"], self._node)
        self._recorder.scheduled(
            bound,
            f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {self._node}",
        )

    def _missing_claim(self, pod: Object) -> str | None:
        for volume in pod["spec"].get("volumes") or ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if name and not self._registry.store.find(CLAIMS, pod["metadata"]["namespace"], name):
                return f'0/1 nodes are available: persistentvolumeclaim "{name}" not found.'
        return None

    def _refuse(self, pod: Object, problem: str) -> None:
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": problem,
        }
        known = pod["status"].get("conditions") or [{}]
        if known[0].get("message") == problem:
            return
        conditions = [{**condition, "lastProbeTime": None, "lastTransitionTime": timestamp()}]
        self._registry.store.put(
            PODS, {**pod, "status": {**pod["status"], "conditions": conditions}}
        )
        self._recorder.warning(pod, "FailedScheduling", problem, component=SCHEDULER)


def _is_pending(pod: Object) -> bool:
    return (
        not pod["spec"].get("nodeName")
        and pod["spec"]["schedulerName"] == SCHEDULER
        and "deletionTimestamp" not in pod["metadata"]
    )


def _uses_node(pod: Object, change_type: str) -> bool:
    """Return whether a pod has a part of the node, as its last change left it."""
    finished = pod["status"].get("phase") in ("Succeeded", "Failed")
    return bool(pod["spec"].get("nodeName")) and not finished and change_type != "DELETED"
