"""A kubeconfig that leads nowhere: KubeSpawner reads one when it is made."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from kubernetes_asyncio.config import kube_config
from kubespawner.clients import load_config

_KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    # Nothing listens there, should code of the operator ask the cluster for something.
    "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "none", "user": {}}],
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "current-context": "none",
}
_IN_CLUSTER = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")


@contextmanager
def no_cluster() -> Iterator[None]:
    """Let spawners be made that know of no cluster, whatever this machine knows."""
    with TemporaryDirectory(prefix="jhext-") as folder:
        path = Path(folder, "kubeconfig")
        path.write_text(json.dumps(_KUBECONFIG))
        before = {name: os.environ.pop(name, None) for name in (*_IN_CLUSTER, "KUBECONFIG")}
        location = kube_config.KUBE_CONFIG_DEFAULT_LOCATION
        os.environ["KUBECONFIG"] = str(path)
        try:
            _read_next_time(str(path))
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value
            _read_next_time(location)


def _read_next_time(path: str) -> None:
    """The environment was read on import, and what was found in the file is kept."""
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = path
    load_config.cache_clear()
