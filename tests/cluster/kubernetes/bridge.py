"""The test node's network: one bridge, which the host and the pods share and nobody else."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "jhext0"
ADDRESS = "10.89.0.1"
NETWORK = "10.89.0.0/16"
PLUGINS = "/usr/lib/cni"


@contextmanager
def bridge() -> Iterator[None]:
    """Make the bridge; it ends with the block, and so does one that a crash has left."""
    _ip("link", "delete", NAME, check=False)
    _ip("link", "add", NAME, "type", "bridge")
    try:
        _ip("address", "add", f"{ADDRESS}/{NETWORK.partition('/')[2]}", "dev", NAME)
        _ip("link", "set", NAME, "up")
        yield
    finally:
        _ip("link", "delete", NAME, check=False)


def write_cni(directory: Path) -> None:
    """Tell containerd how a pod joins: without masquerading, and no forwarding is switched on."""
    plugin = {
        "type": "bridge",
        "bridge": NAME,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": NETWORK, "gateway": ADDRESS}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    content = {"cniVersion": "0.4.0", "name": NAME, "plugins": [plugin]}
    directory.mkdir()
    (directory / f"10-{NAME}.conflist").write_text(json.dumps(content))


def _ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True)
