"""Pods as KubeSpawner builds them, and a person to run them."""

from datetime import UTC, datetime
from typing import Any

from kubernetes_asyncio.client import ApiClient
from kubespawner.objects import make_pod

from jhext.identity.model import Group, Identity
from jhext.pod.manifest import Manifest

ANN = Identity(
    username="ann",
    uid=1001,
    gid=2001,
    groups=(Group("staff", 2001), Group("lab", 5001), Group("gpu", 5003)),
    shell="/bin/bash",
    gecos="Ann Lee",
    email="ann@example.org",
    resolved_at=datetime(2026, 1, 2, tzinfo=UTC),
)

CLOUD_METADATA = {
    "name": "block-cloud-metadata",
    "image": "quay.io/jupyterhub/k8s-network-tools:4.2.0",
    "command": ["iptables", "--append", "OUTPUT", "--destination", "169.254.169.254", "-j", "DROP"],
    "securityContext": {
        "privileged": True,
        "runAsUser": 0,
        "capabilities": {"add": ["NET_ADMIN"]},
    },
}
"""The init container that the chart adds by default."""


def plain(pod: Any) -> Manifest:
    """Turn KubeSpawner's objects into what is sent, as its API client does."""
    manifest: Manifest = ApiClient.sanitize_for_serialization(ApiClient.__new__(ApiClient), pod)
    return manifest


def kubespawner_pod(**changes: Any) -> Manifest:
    """Build the pod that KubeSpawner builds with the chart's default values."""
    arguments = {
        "name": "jupyter-ann",
        "image": "quay.io/jupyterhub/k8s-singleuser-sample:4.2.0",
        "image_pull_policy": "IfNotPresent",
        "cmd": ["jupyterhub-singleuser"],
        "port": 8888,
        "uid": 1000,
        "fs_gid": 100,
        "allow_privilege_escalation": False,
        "env": {"JUPYTERHUB_USER": "ann", "NB_UID": "0", "PATH": "$(HOME)/bin"},
        "volumes": [{"name": "home", "persistentVolumeClaim": {"claimName": "claim-ann"}}],
        "volume_mounts": [{"name": "home", "mountPath": "/home/jovyan"}],
        "init_containers": [{"name": "motd", "image": "busybox", "command": ["true"]}],
        "extra_containers": [
            {"name": "sidecar", "image": "busybox", "securityContext": {"runAsUser": 65532}}
        ],
        "annotations": {"hub.jupyter.org/username": "ann"},
    }
    return plain(make_pod(**(arguments | changes)))
