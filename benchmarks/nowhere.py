"""A kubeconfig that leads nowhere: KubeSpawner reads one when it is made.

kubernetes_asyncio looks for it when it is imported, so this module imports nothing of the hub.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: none, user: {}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
current-context: none
"""


@contextmanager
def no_cluster() -> Iterator[None]:
    """Let what is imported now find that kubeconfig, and no cluster around this process."""
    for name in ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        os.environ.pop(name, None)
    with TemporaryDirectory(prefix="jhext-bench-") as folder:
        path = Path(folder, "kubeconfig")
        path.write_text(KUBECONFIG)
        os.environ["KUBECONFIG"] = str(path)
        yield
