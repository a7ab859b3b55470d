"""The tables that ``kubectl get`` asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .clock import seconds_since
from .resources import (
    CLAIMS,
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    SECRETS,
    SERVICES,
    Object,
    Resource,
)
from .selectors import field_value

Cell = Callable[[Object], str]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_WIDE = 1
"""The priority of a column that only ``-o wide`` shows."""


@dataclass(frozen=True)
class Column:
    """One column: its title, what stands in it, and how readily it is shown."""

    name: str
    cell: Cell
    priority: int = 0


def _path(path: str, default: str = "<none>") -> Cell:
    return lambda obj: field_value(obj, path) or default


def _age(path: str) -> Cell:
    def cell(obj: Object) -> str:
        written = field_value(obj, path)
        return _duration(int(seconds_since(written))) if written else "<unknown>"

    return cell


def _duration(seconds: int) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    return f"{seconds // _DAY}d"


def _statuses(pod: Object, field: str = "containerStatuses") -> list[Object]:
    return pod.get("status", {}).get(field) or []


def _pod_ready(pod: Object) -> str:
    ready = sum(bool(status.get("ready")) for status in _statuses(pod))
    return f"{ready}/{len(pod['spec']['containers'])}"


def _pod_status(pod: Object) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    for prefix, field in (("Init:", "initContainerStatuses"), ("", "containerStatuses")):
        for status in _statuses(pod, field):
            for state in status["state"].values():
                reason = state.get("reason")
                if reason and not (prefix and reason in ("Completed", "PodInitializing")):
                    return f"{prefix}{reason}"
    return field_value(pod, "status.phase")


def _pod_restarts(pod: Object) -> str:
    return str(sum(status.get("restartCount", 0) for status in _statuses(pod)))


def _event_object(event: Object) -> str:
    kind, name = (field_value(event, f"involvedObject.{field}") for field in ("kind", "name"))
    return f"{kind.lower()}/{name}"


def _count(*fields: str) -> Cell:
    return lambda obj: str(sum(len(obj.get(field) or ()) for field in fields))


def _ports(service: Object) -> str:
    ports = service["spec"].get("ports") or ()
    return ",".join(f"{port['port']}/{port['protocol']}" for port in ports) or "<none>"


def _node_status(node: Object) -> str:
    conditions = node.get("status", {}).get("conditions") or ()
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return "Ready" if ready else "NotReady"


_NAME = Column("Name", _path("metadata.name"))
_AGE = Column("Age", _age("metadata.creationTimestamp"))

_COLUMNS: dict[Resource, tuple[Column, ...]] = {
    PODS: (
        _NAME,
        Column("Ready", _pod_ready),
        Column("Status", _pod_status),
        Column("Restarts", _pod_restarts),
        _AGE,
        Column("IP", _path("status.podIP"), _WIDE),
        Column("Node", _path("spec.nodeName"), _WIDE),
    ),
    EVENTS: (
        Column("Last Seen", _age("lastTimestamp")),
        Column("Type", _path("type", "")),
        Column("Reason", _path("reason", "")),
        Column("Object", _event_object),
        Column("Message", _path("message", "")),
        Column("Count", _path("count"), _WIDE),
    ),
    CLAIMS: (
        _NAME,
        Column("Status", _path("status.phase")),
        Column("Volume", _path("spec.volumeName", "")),
        Column("Capacity", _path("status.capacity.storage", "")),
        _AGE,
    ),
    SERVICES: (
        _NAME,
        Column("Type", _path("spec.type")),
        Column("Cluster-IP", _path("spec.clusterIP")),
        Column("Port(s)", _ports),
        _AGE,
    ),
    SECRETS: (_NAME, Column("Type", _path("type")), Column("Data", _count("data")), _AGE),
    CONFIG_MAPS: (_NAME, Column("Data", _count("data", "binaryData")), _AGE),
    NAMESPACES: (_NAME, Column("Status", _path("status.phase")), _AGE),
    NODES: (_NAME, Column("Status", _node_status), _AGE),
}


def table(resource: Resource, objects: Sequence[Object], metadata: Object) -> Object:
    """Return objects as the table that kubectl prints.

    Parameters
    ----------
    metadata
        The metadata of the list that the table stands for.
    """
    columns = _COLUMNS.get(resource, (_NAME, _AGE))
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": column.name,
                "type": "string",
                "format": "name" if column is _NAME else "",
                "description": "",
                "priority": column.priority,
            }
            for column in columns
        ],
        "rows": [
            {
                "cells": [column.cell(obj) for column in columns],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": obj["metadata"],
                },
            }
            for obj in objects
        ],
    }
