"""The process that runs the node of this machine for as long as somebody uses it.

``python -m tests.cluster.kubernetes.keeper``; `shared_node` starts it. There is one node at a
time: its bridge, its cgroup and its directories have fixed names.
"""

import json
import shutil
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.cluster.kubernetes import lock
from tests.cluster.kubernetes.bridge import ADDRESS
from tests.cluster.kubernetes.cache import cache_root
from tests.cluster.kubernetes.images import NOTEBOOK
from tests.cluster.kubernetes.kubeconfig import Node
from tests.cluster.kubernetes.machine import MACHINE_LOCK
from tests.cluster.kubernetes.node import running_node
from tests.cluster.kubernetes.server import Server

STATE = cache_root() / "node"
USERS = STATE / "users"  # locked by everybody who uses the node
KEEPER = STATE / "keeper"  # locked by the keeper while it lives
DESCRIPTION = STATE / "node.json"  # there while the node may be used
OFF = STATE / "off"  # while it exists, the node has no power
LOGS = STATE / "logs"


def main() -> None:
    """Run the node until nobody uses it any more, or until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with lock.alone(KEEPER), lock.alone(MACHINE_LOCK):
        shutil.rmtree(LOGS, ignore_errors=True)
        LOGS.mkdir(mode=0o700)
        OFF.unlink(missing_ok=True)
        with running_node(LOGS, STATE / "storage") as (cluster, kubelet):
            _describe(Node(**vars(cluster), image=NOTEBOOK.name, hub_ip=ADDRESS, off=OFF))
            try:
                while _is_used():
                    _obey_switch(kubelet)
                    time.sleep(0.2)
            finally:
                DESCRIPTION.unlink(missing_ok=True)


def _is_used() -> bool:
    with lock.alone_if_free(USERS) as unused:
        if unused:
            # nobody comes before this lock is free again, and then finds no node
            DESCRIPTION.unlink()
        return not unused


def _obey_switch(kubelet: Server) -> None:
    if OFF.exists() and kubelet.is_running:
        kubelet.kill()
    elif not OFF.exists() and not kubelet.is_running:
        kubelet.start()


def _describe(node: Node) -> None:
    unfinished = DESCRIPTION.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)  # the administrator's token is in it
    unfinished.write_text(json.dumps(asdict(node), default=str))
    unfinished.rename(DESCRIPTION)


def described_node() -> Node:
    """Return the node that may be used."""
    content = json.loads(DESCRIPTION.read_text())
    paths = ("ca_file", "kubeconfig", "audit_log", "off")
    return Node(**content | {name: Path(content[name]) for name in paths})


if __name__ == "__main__":
    main()
