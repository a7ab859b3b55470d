"""The embedded cluster: API server, controllers, scheduler and node in one event loop."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from .address import PodAddresses
from .claims import ClaimController
from .controllers import CleanUpController
from .credentials import CredentialCheck
from .directories import make_passage
from .events import EventRecorder
from .faults import Faults
from .handlers import ObjectHandlers
from .http import KubernetesApi
from .kubeconfig import make_certificate, write_kubeconfig
from .logs import LogFiles
from .node import NODE_LABELS, NODE_NAME, default_capacity, node_object
from .pod import PodServices
from .registry import Registry
from .resources import NAMESPACES, NODES
from .runner import PodRunner
from .scheduler import Scheduler
from .store import Store, follow

_ADDRESS = "127.0.0.1"
_SHUTDOWN_SECONDS = 0.5


def _print_warning(message: str) -> None:
    print(f"devcluster: {message}", file=sys.stderr, flush=True)


class StateInUseError(RuntimeError):
    """Two clusters cannot share a directory."""


class DevCluster:
    """A Kubernetes for one machine and one user, with processes for containers.

    Parameters
    ----------
    state
        The directory for everything that is kept; it may be deleted when the cluster is down.
        Objects are not kept, but the files of a claim are: a claim of the same name finds them.
    namespace
        The namespace that is there from the start and that the kubeconfig names.
    port
        The API's port on 127.0.0.1; 0 for any free one.
    capacity
        What the node has beside, or instead of, the CPUs and memory of this machine, such as
        ``{"nvidia.com/gpu": "2"}``.
    node_labels
        What pods can select the node by, beside the usual labels.
    backoff
        Seconds before a container's second restart.
    warn
        Is told what goes wrong with pods; it is printed otherwise.

    Raises
    ------
    StateInUseError
        On entry, when another cluster is running in the directory.
    AddressError
        On entry, when the machine has no addresses for pods.

    Attributes
    ----------
    url, kubeconfig, token, ca_file
        How to reach the API; there after the cluster has been entered.
    faults
        The faults that requests meet.
    """

    url: str
    kubeconfig: Path
    ca_file: Path

    def __init__(
        self,
        state: Path | str,
        *,
        namespace: str = "default",
        port: int = 0,
        capacity: Mapping[str, str] | None = None,
        node_labels: Mapping[str, str] | None = None,
        backoff: float = 10.0,
        warn: Callable[[str], None] = _print_warning,
    ) -> None:
        self._state = Path(state).resolve()
        self._namespace = namespace
        self._port = port
        self._capacity = {**default_capacity(), **(capacity or {})}
        self._node_labels = {**NODE_LABELS, **(node_labels or {})}
        self._backoff = backoff
        self._warn = warn
        self._store = Store()
        self._registry = Registry(self._store)
        self._exit = AsyncExitStack()
        self.token = secrets.token_urlsafe(32)
        self.faults = Faults()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._exit = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._exit.aclose()

    async def _start(self, stack: AsyncExitStack) -> None:
        make_passage(self._state)
        stack.callback(os.close, _lock(self._state / "lock"))
        # What a cluster left that was killed; only claims and logs outlive one.
        await asyncio.to_thread(shutil.rmtree, self._state / "pods", ignore_errors=True)
        for name in ("claims", "logs", "pods"):
            make_passage(self._state / name)
        addresses = PodAddresses()
        stack.callback(addresses.close)
        logs = LogFiles(self._state / "logs")
        self._create_first_objects(addresses.host)
        recorder = EventRecorder(self._registry, NODE_NAME, self._warn)
        services = PodServices(
            registry=self._registry,
            recorder=recorder,
            logs=logs,
            addresses=addresses,
            credentials=CredentialCheck(),
            state=self._state,
            capacity=self._capacity,
            backoff=self._backoff,
        )
        scheduler = Scheduler(
            self._registry, recorder, NODE_NAME, self._node_labels, self._capacity
        )
        runner = PodRunner(services, NODE_NAME)
        stack.push_async_callback(runner.close)
        for react in (
            runner.react,
            scheduler.react,
            ClaimController(self._registry, self._state).react,
            CleanUpController(self._registry).react,
        ):
            changes = stack.enter_context(self._store.subscribe())
            task = asyncio.create_task(follow(changes, react, self._warn))
            stack.push_async_callback(_cancelled, task)
        self._registry.create(NAMESPACES, "", {"metadata": {"name": self._namespace}})
        handlers = ObjectHandlers(self._registry, logs)
        await self._serve(stack, KubernetesApi(handlers, self.faults, self.token))

    def _create_first_objects(self, address: str) -> None:
        node, status = node_object(address, self._capacity)
        node["metadata"]["labels"] = self._node_labels
        self._registry.create(NODES, "", node)
        self._registry.replace(
            NODES, "", NODE_NAME, {**node, "status": status}, subresource="status"
        )

    async def _serve(self, stack: AsyncExitStack, api: KubernetesApi) -> None:
        context, self.ca_file = await asyncio.to_thread(make_certificate, self._state / "tls")
        runner = web.AppRunner(
            api.application(),
            access_log=None,
            handler_cancellation=True,  # a watch ends when its client has gone
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, _ADDRESS, self._port, ssl_context=context)
        await site.start()
        self.url = f"https://{_ADDRESS}:{runner.addresses[0][1]}"
        self.kubeconfig = self._state / "kubeconfig"
        write_kubeconfig(
            self.kubeconfig,
            url=self.url,
            ca_file=self.ca_file,
            token=self.token,
            namespace=self._namespace,
        )
        stack.callback(self.kubeconfig.unlink, missing_ok=True)


def _lock(path: Path) -> int:
    """Hold a file for as long as the returned descriptor is open, or the process lives.

    Raises
    ------
    StateInUseError
        When somebody else holds it.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StateInUseError(f"another cluster is running in {path.parent}") from error
    return descriptor


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
