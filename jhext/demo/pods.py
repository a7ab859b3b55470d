"""The pods of a cluster, as the cluster itself tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kubernetes_asyncio import client, config


async def pods_of(kubeconfig: Path, user: str) -> list[dict[str, Any]]:
    """Return the pods that KubeSpawner has made for a user, as the Kubernetes API shows them."""
    async with await config.new_client_from_config(str(kubeconfig)) as api:
        found = await client.CoreV1Api(api).list_pod_for_all_namespaces(
            label_selector=f"hub.jupyter.org/username={user}"
        )
        pods: list[dict[str, Any]] = api.sanitize_for_serialization(found.items)
        return pods
