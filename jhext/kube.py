"""Where this process is in Kubernetes: the namespace, and a client of the API with a deadline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kubernetes_asyncio import config
from kubernetes_asyncio.client import ApiClient, Configuration

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def current_namespace() -> str:
    """Give the namespace of the pod that this process runs in; empty outside a cluster."""
    try:
        return _SERVICE_ACCOUNT.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


@asynccontextmanager
async def connected(
    namespace: str = "", kubeconfig: Path | None = None
) -> AsyncIterator[tuple[ApiClient, str]]:
    """Give a client of the cluster, and the namespace to work in.

    Parameters
    ----------
    namespace
        By default that of this pod, or of the kubeconfig's context.
    kubeconfig
        By default the service account's, or as kubectl finds it.
    """
    here = Configuration()
    inside = "" if kubeconfig else current_namespace()
    if inside:
        config.load_incluster_config(client_configuration=here)  # type: ignore[no-untyped-call]
    else:
        file = str(kubeconfig) if kubeconfig else None
        await config.load_kube_config(config_file=file, client_configuration=here)
        _, context = config.list_kube_config_contexts(config_file=file)
        inside = (context or {}).get("context", {}).get("namespace", "default")
    async with ApiClient(configuration=here) as client:
        yield client, namespace or inside
