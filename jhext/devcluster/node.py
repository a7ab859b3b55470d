"""The node object: what the machine offers to pods, as a kubelet reports it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .clock import timestamp
from .resources import Object
from .scheduling import PODS_PER_NODE

NODE_NAME = "devcluster"

NODE_LABELS = {"kubernetes.io/hostname": NODE_NAME, "kubernetes.io/os": "linux"}


def default_capacity() -> dict[str, str]:
    """Return what this machine has."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": str(os.cpu_count() or 1),
        "memory": f"{memory // 1024}Ki",
        "pods": str(PODS_PER_NODE),
    }


def node_object(address: str, capacity: Mapping[str, str]) -> tuple[Object, Object]:
    """Return the node as it is created, and its status."""
    now = timestamp()
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    return (
        {"metadata": {"name": NODE_NAME, "labels": NODE_LABELS}},
        {
            "capacity": dict(capacity),
            "allocatable": dict(capacity),
            "conditions": [ready],
            "addresses": [{"type": "InternalIP", "address": address}],
        },
    )
