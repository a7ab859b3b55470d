"""A real hub with its proxy on an embedded cluster, as child processes of this one."""

from __future__ import annotations

import os
import secrets
import sys
import urllib.request
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from .processes import Child, Children, StartError, free_port, is_free
from .proxy import Proxy

_IN_CLUSTER = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def environment(**more: str) -> dict[str, str]:
    """
    Return the environment of the programs of a local hub.

    The programs of this Python come first in PATH, also when its virtual environment is not
    activated. What would make KubeSpawner use the cluster that this process runs in is left out.
    """
    env = {name: value for name, value in os.environ.items() if name not in _IN_CLUSTER}
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    reach_directly(env)
    return {**env, "PATH": path, "PYTHONUNBUFFERED": "1", **more}


def reach_directly(env: MutableMapping[str, str]) -> None:
    """Keep Kubernetes' client from asking a proxy that the environment names for this machine."""
    others = env.get("no_proxy") or env.get("NO_PROXY")
    env["no_proxy"] = env["NO_PROXY"] = ",".join(filter(None, ["127.0.0.1", "localhost", others]))


def start_cluster(children: Children, folder: Path, *capacity: str) -> Path:
    """
    Start an embedded cluster and return its kubeconfig.

    Parameters
    ----------
    folder
        What the cluster keeps its files in.
    capacity
        What its node has besides CPU and memory, such as ``nvidia.com/gpu=2``.
    """
    folder.mkdir(exist_ok=True)
    kubeconfig = folder / "kubeconfig"
    kubeconfig.unlink(missing_ok=True)  # an earlier one's must not be taken for this one's
    command = [sys.executable, "-m", "jhext.devcluster", "--state", str(folder)]
    command += [f"--capacity={amount}" for amount in capacity]
    cluster = children.start(
        "The embedded cluster",
        command,
        env=environment(),
        cwd=folder,
        log=folder.with_suffix(".log"),
    )
    cluster.wait_until(kubeconfig.exists, 30)
    return kubeconfig


@dataclass
class LocalHub:
    """
    A hub, started, ended and started again; its proxy goes on in between.

    The proxy is not the hub's child, so that a hub that is killed leaves it running, as it is
    in a cluster.
    """

    children: Children
    folder: Path
    """Where the database, the cookie secret and the logs are."""
    config: Path
    kubeconfig: Path
    proxy: Proxy
    port: int = 0
    hub_ip: str = "127.0.0.1"
    """Where the hub itself listens: the pods must reach it."""
    env: Mapping[str, str] = field(default_factory=dict)
    _proxy_token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    _hub: Child | None = None

    def __post_init__(self) -> None:
        self.port = self.port or free_port()
        self._hub_port, self._api_port = free_port(), free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the hub has printed."""
        return self.folder / "hub.log"

    def start(self) -> None:
        """Start the proxy and the hub, and wait until the hub answers through the proxy."""
        self._start_proxy()
        self.start_hub()

    def start_hub(self) -> None:
        """Start the hub alone, with the database that it left, and wait until it answers."""
        self._hub = self.children.start(
            "The hub",
            [
                *(sys.executable, "-m", "jupyterhub", f"--config={self.config}"),
                f"--JupyterHub.bind_url={self.url}",
                f"--JupyterHub.hub_bind_url=http://{self.hub_ip}:{self._hub_port}",
                "--ConfigurableHTTPProxy.should_start=False",
                f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{self._api_port}",
            ],
            env=environment(
                KUBECONFIG=str(self.kubeconfig),
                CONFIGPROXY_AUTH_TOKEN=self._proxy_token,
                **self.env,
            ),
            cwd=self.folder,
            log=self.log,
            umask=0o077,
        )
        self._hub.wait_until(lambda: _healthy(self.url), 60)

    @property
    def runs(self) -> bool:
        """Whether the hub has been started and not ended."""
        return self._hub is not None and self._hub.process.poll() is None

    def stop_hub(self) -> None:
        """Ask the hub to end, and wait for it."""
        if self._hub:
            self._hub.stop()

    def kill_hub(self) -> None:
        """End the hub without a warning, as a crash does."""
        if self._hub:
            self._hub.kill()

    def _start_proxy(self) -> None:
        if not is_free(self.port):
            raise StartError(f"Port {self.port} of 127.0.0.1 is taken; choose another one.")
        proxy = self.children.start(
            "The proxy",
            [
                *self.proxy.command,
                *("--ip", "127.0.0.1", "--port", str(self.port)),
                *("--api-ip", "127.0.0.1", "--api-port", str(self._api_port)),
                *("--error-target", f"http://{self.hub_ip}:{self._hub_port}/hub/error"),
            ],
            env=environment(CONFIGPROXY_AUTH_TOKEN=self._proxy_token),
            cwd=self.folder,
            log=self.folder / "proxy.log",
        )
        proxy.wait_until(lambda: not (is_free(self.port) or is_free(self._api_port)), 30)


def _healthy(url: str) -> bool:
    """Tell whether the hub answers, and no proxy says that it does not."""
    try:
        with _DIRECT.open(f"{url}/hub/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
