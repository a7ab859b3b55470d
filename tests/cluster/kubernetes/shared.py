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


class Share:
    """How this process uses the node's pods at the moment: not, among others, or alone.

    Parameters
    ----------
    was_taken
        A file that is there once somebody has the node alone, for which all others wait.
    """

    def __init__(self, was_taken: Path | None = None) -> None:
        self._was_taken = was_taken
        self._stack = ExitStack()
        self._is_held = False

    def take_alone(self) -> None:
        """Use the node in a way that ends the pods of others: wait for them first."""
        self._hold(lock.alone)
        if self._was_taken is not None:
            self._was_taken.touch()

    def take_part(self) -> None:
        """Use pods of the node, which others may do at the same time."""
        while not (self._is_held or self._was_taken is None or self._was_taken.exists()):
            time.sleep(0.1)
        if not self._is_held:
            self._hold(lock.shared)

    def release(self) -> None:
        """Use the node no more."""
        self._stack.close()
        self._is_held = False

    def _hold(self, kind: Callable[[Path], AbstractContextManager[None]]) -> None:
        STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._stack.enter_context(kind(PODS))
        self._is_held = True


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
