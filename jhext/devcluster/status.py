"""The status of a pod as a function of the states of its containers, as a kubelet reports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .clock import timestamp
from .resources import Object


@dataclass(frozen=True)
class ContainerStatus:
    """How one container is doing.

    Attributes
    ----------
    state, last_state
        As in the pod's status: one of ``waiting``, ``running``, ``terminated``.
    """

    name: str
    image: str
    state: Object
    last_state: Object = field(default_factory=dict)
    ready: bool = False
    restart_count: int = 0

    def document(self) -> Object:
        """Return the container's status as Kubernetes writes it."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": "",
            "state": self.state,
            "lastState": self.last_state,
            "ready": self.ready,
            "restartCount": self.restart_count,
            "started": "running" in self.state,
        }


def waiting(reason: str, message: str = "") -> Object:
    """Return the state of a container that does not run yet, or not now."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def terminated(exit_code: int, reason: str, started_at: str, message: str = "") -> Object:
    """Return the state of a container that has ended."""
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason,
            "startedAt": started_at,
            "finishedAt": timestamp(),
            **({"message": message} if message else {}),
        }
    }


def pod_status(
    pod: Object,
    *,
    init: Sequence[ContainerStatus],
    main: Sequence[ContainerStatus],
    address: str,
    host: str,
) -> Object:
    """Return the status of a pod on a node."""
    old = pod["status"]
    initialized = all(_succeeded(status) for status in init)
    unready = [status.name for status in main if not status.ready]
    phase = pod_phase(pod["spec"]["restartPolicy"], init, main)
    conditions = [
        ("Initialized", initialized, "ContainersNotInitialized", ""),
        *(
            (
                kind,
                not unready,
                "ContainersNotReady",
                f"containers with unready status: [{' '.join(unready)}]",
            )
            for kind in ("Ready", "ContainersReady")
        ),
        ("PodScheduled", True, "", ""),
    ]
    status = {
        **old,
        "phase": phase,
        "conditions": [_condition(old, *condition) for condition in conditions],
        "hostIP": host,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": old.get("startTime") or timestamp(),
        "containerStatuses": [status.document() for status in main],
    }
    if init:
        status["initContainerStatuses"] = [container.document() for container in init]
    return status


def _condition(old: Object, kind: str, holds: bool, reason: str, message: str) -> Object:
    value = "True" if holds else "False"
    before: Object = next((c for c in old.get("conditions") or () if c["type"] == kind), {})
    unchanged = before.get("status") == value
    condition = {
        "type": kind,
        "status": value,
        "lastProbeTime": None,
        "lastTransitionTime": before["lastTransitionTime"] if unchanged else timestamp(),
    }
    if not holds:
        condition |= {"reason": reason, "message": message} if message else {"reason": reason}
    return condition


def pod_phase(
    restart_policy: str, init: Sequence[ContainerStatus], main: Sequence[ContainerStatus]
) -> str:
    """Return the phase of a pod (``getPhase`` of the kubelet)."""
    if not all(_succeeded(status) for status in init):
        failed = any(_exit_code(status) not in (None, 0) for status in init)
        return "Failed" if failed and restart_policy == "Never" else "Pending"
    codes = [_exit_code(status) for status in main]
    if any("waiting" in status.state and not status.last_state for status in main):
        return "Pending"
    if any("running" in status.state for status in main) or restart_policy == "Always":
        return "Running"
    if all(code == 0 for code in codes):
        return "Succeeded"
    return "Failed" if restart_policy == "Never" else "Running"


def _exit_code(status: ContainerStatus) -> int | None:
    ended = status.state.get("terminated")
    return int(ended["exitCode"]) if ended else None


def _succeeded(status: ContainerStatus) -> bool:
    return _exit_code(status) == 0
