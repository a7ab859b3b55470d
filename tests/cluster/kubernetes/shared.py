"""One node for all who test on this machine: who comes first starts it, the last one ends it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from jhext.demo.processes import StartError, tail
from tests.cluster.kubernetes import lock
from tests.cluster.kubernetes.images import NOTEBOOK
from tests.cluster.kubernetes.keeper import DESCRIPTION, KEEPER, STATE, USERS, described_node
from tests.cluster.kubernetes.kubeconfig import Node

CHECKOUT = Path(__file__).parents[3]
STARTING = STATE / "starting"
PODS = STATE / "pods"


@contextmanager
def shared_node() -> Iterator[Node]:
    """Use this machine's node; it is started if need be, and ends when nobody uses it.

    A node that others use with other images is waited out.
    """
    STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
    while True:
        with lock.shared(USERS):
            with lock.alone(STARTING):
                if not DESCRIPTION.exists() or _is_free(KEEPER):
                    _start_keeper()
            node = described_node()
            if node.image == NOTEBOOK.name:
                yield node
                break
        time.sleep(1)
    while _is_free(USERS) and not _is_free(KEEPER):
        time.sleep(0.1)


@contextmanager
def among_others() -> Iterator[None]:
    """Use pods of the node, which others may do at the same time."""
    STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
    with lock.shared(PODS):
        yield


@contextmanager
def alone() -> Iterator[None]:
    """Use the node in a way that ends the pods of others: wait for them first."""
    STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
    with lock.alone(PODS):
        yield


Sharing = Callable[[], AbstractContextManager[None]]


class Share:
    """How this process uses the node at the moment: not, `among_others`, or `alone`."""

    def __init__(self) -> None:
        self._sharing: Sharing | None = None
        self._stack = ExitStack()

    def take(self, sharing: Sharing) -> None:
        """Use the node in this way, if need be after the end of another way."""
        if sharing is not self._sharing:
            self.release()
            self._stack.enter_context(sharing())
            self._sharing = sharing

    def release(self) -> None:
        """Use the node no more."""
        self._stack.close()
        self._sharing = None


def _is_free(path: Path) -> bool:
    with lock.alone_if_free(path) as free:
        return free


def _start_keeper() -> None:
    with lock.alone(KEEPER):  # after the end of one that is ending
        DESCRIPTION.unlink(missing_ok=True)
    log = STATE / "keeper.log"
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.kubernetes.keeper"],
            cwd=CHECKOUT,
            env=os.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    while not DESCRIPTION.exists():
        if keeper.poll() is not None:
            raise StartError(f"The node ended at once.\n{tail(log)}")
        time.sleep(0.1)
    keeper.returncode = 0  # it outlives this process, and Popen shall not mind
