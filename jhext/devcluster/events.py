"""Events about pods, as schedulers and kubelets write them."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from .clock import timestamp
from .errors import ApiError
from .registry import Registry
from .resources import EVENTS, Object

KUBELET = "kubelet"
SCHEDULER = "default-scheduler"


class EventRecorder:
    """Writes events, counting repetitions in one event as the real recorder does.

    Parameters
    ----------
    host
        The node's name.
    warn
        Is told every warning, once however often it is repeated.
    """

    def __init__(self, registry: Registry, host: str, warn: Callable[[str], None]) -> None:
        self._registry = registry
        self._host = host
        self._warn = warn
        self._written: dict[tuple[str, ...], str] = {}

    def normal(self, pod: Object, reason: str, message: str, *, part: str = "") -> None:
        """Record that something happened as it should.

        ``part`` is the field of the pod that it happened to.
        """
        self._record(pod, "Normal", reason, message, KUBELET, part)

    def scheduled(self, pod: Object, message: str) -> None:
        """Record that the scheduler has found a node."""
        self._record(pod, "Normal", "Scheduled", message, SCHEDULER, "")

    def warning(
        self,
        pod: Object,
        reason: str,
        message: str,
        *,
        part: str = "",
        component: str = KUBELET,
    ) -> None:
        """Record that something went wrong.

        ``part`` is the field of the pod that it happened to.
        """
        self._record(pod, "Warning", reason, message, component, part)

    def _record(
        self, pod: Object, kind: str, reason: str, message: str, component: str, part: str
    ) -> None:
        metadata = pod["metadata"]
        namespace = metadata["namespace"]
        key = (metadata["uid"], kind, reason, message, part)
        name = self._written.get(key)
        event = self._registry.store.find(EVENTS, namespace, name) if name else None
        if event:
            repeated = {**event, "count": event["count"] + 1, "lastTimestamp": timestamp()}
            self._registry.store.put(EVENTS, repeated)
            return
        if kind == "Warning":
            self._warn(f"pod {namespace}/{metadata['name']}: {reason}: {message}")
        involved = {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": metadata["name"],
            "namespace": namespace,
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        }
        if part:
            involved["fieldPath"] = part
        now = timestamp()
        body = {
            "metadata": {"name": f"{metadata['name']}.{secrets.token_hex(8)}"},
            "involvedObject": involved,
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": component, "host": self._host},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            created = self._registry.create(EVENTS, namespace, body)
        except ApiError:  # the namespace is being deleted
            return
        self._written[key] = created["metadata"]["name"]
