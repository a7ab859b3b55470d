"""How a client reaches a test cluster: address, token, authority, and the kubeconfig with them."""

import base64
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml


@dataclass(frozen=True)
class Cluster:
    """A Kubernetes API server and one account's way in.

    Attributes
    ----------
    url
        ``https://…``, without a path.
    token
        Bearer token; a cluster administrator's unless said otherwise.
    ca_file
        The certificate authority that the server's certificate verifies against.
    kubeconfig
        The same as a file, complete in itself.
    audit_log
        JSON lines, one for each answered request; None where we did not start the server.
    """

    url: str
    token: str = field(repr=False)
    ca_file: Path
    kubeconfig: Path
    audit_log: Path | None = None

    def client(self) -> httpx.Client:
        """Return a synchronous HTTP client for this account, to be closed by the caller."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.token}"},
            verify=ssl.create_default_context(cafile=str(self.ca_file)),
            trust_env=False,
            timeout=30,
        )


@dataclass(frozen=True, kw_only=True)
class Node(Cluster):
    """A cluster that runs pods, which a hub on this machine reaches and which reach it.

    Attributes
    ----------
    image
        The users' image.
    hub_ip
        This machine's address as the pods see it.
    off
        While this file exists the node has no power: all that runs on it ends. None where we did
        not start it.
    """

    image: str
    hub_ip: str
    off: Path | None = None


def reachable_as(
    url: str, ca_file: Path, token: str, kubeconfig: Path, audit_log: Path | None = None
) -> Cluster:
    """Write `kubeconfig`, readable by its owner only, and return the way in that it describes."""
    write_kubeconfig(kubeconfig, url, ca_file, token)
    return Cluster(url, token, ca_file, kubeconfig, audit_log)


def write_kubeconfig(kubeconfig: Path, url: str, ca_file: Path, token: str, **more: str) -> None:
    """Write a kubeconfig that only its owner can read; `more` is said about its cluster."""
    authority = base64.b64encode(ca_file.read_bytes()).decode()
    cluster = {"server": url, "certificate-authority-data": authority, **more}
    context = {"cluster": "test", "user": "test", "namespace": "default"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": context}],
        "current-context": "test",
    }
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(yaml.safe_dump(content))
