"""Where this process is in Kubernetes: the namespace, and a client of the API with a deadline."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kubernetes_asyncio import config
from kubernetes_asyncio.client import ApiClient, Configuration
from kubernetes_asyncio.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION
from yaml import YAMLError

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def current_namespace() -> str:
    """Give the namespace of the pod that this process runs in; empty outside a cluster."""
    try:
        return _SERVICE_ACCOUNT.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _is_there(files: str) -> bool:
    """Tell whether there is any of the files that kubectl would read."""
    return any(Path(name).expanduser().is_file() for name in files.split(os.pathsep))


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

    Raises
    ------
    ConfigException
        There is no kubeconfig, or it says nothing of a cluster.
    """
    here = Configuration()
    inside = "" if kubeconfig else current_namespace()
    if inside:
        config.load_incluster_config(client_configuration=here)  # type: ignore[no-untyped-call]
    else:
        file = str(kubeconfig or KUBE_CONFIG_DEFAULT_LOCATION)
        if not _is_there(file):
            # The client would log that, and then say something else.
            raise config.ConfigException(f"there is no kubeconfig: {file}")
        try:
            await config.load_kube_config(config_file=file, client_configuration=here)
            _, context = config.list_kube_config_contexts(config_file=file)
        except (YAMLError, TypeError, ValueError) as error:
            # What it says may have tokens in it.
            raise config.ConfigException(
                f"{file} is no kubeconfig: {type(error).__name__}"
            ) from None
        inside = (context or {}).get("context", {}).get("namespace", "default")
    async with ApiClient(configuration=here) as client:
        yield client, namespace or inside
