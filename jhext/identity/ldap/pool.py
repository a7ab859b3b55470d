"""A pool of connections, to the first server of a directory that answers."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from jhext.identity.errors import IdentityUnavailable

from .access import Access, Server
from .connection import Connection
from .inbox import ClosedError, GarbledError

T = TypeVar("T")
Prepare = Callable[[Connection], Awaitable[None]]

MAX_IDLE = 60.0
"""Seconds after which an unused connection is not used again: firewalls forget it, unsaid."""
PENALTY = 30.0
"""Seconds for which a server that did not answer is asked after the others."""


class BusyError(Exception):
    """A server says that it cannot answer now."""


class Rota:
    """The servers, those that have failed lately after the others.

    Parameters
    ----------
    servers
        The servers in the order of preference.
    clock
        Seconds that only go forward.
    """

    def __init__(
        self, servers: tuple[Server, ...], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._servers = servers
        self._clock = clock
        self._failed: dict[Server, float] = {}

    def in_order(self) -> list[Server]:
        """Give all servers, the best one first."""
        return sorted(self._servers, key=self.has_failed)

    def has_failed(self, server: Server) -> bool:
        """Tell whether a server did not answer lately."""
        now = self._clock()
        return now - self._failed.get(server, now - PENALTY) < PENALTY

    def failed(self, server: Server) -> None:
        """Note that a server did not answer."""
        self._failed[server] = self._clock()

    def answered(self, server: Server) -> None:
        """Note that a server did."""
        self._failed.pop(server, None)


class Pool:
    """Connections of one kind.

    Parameters
    ----------
    access
        How the directory is reached.
    rota
        Its servers.
    prepare
        What is done once with each new connection.
    """

    def __init__(self, access: Access, rota: Rota, prepare: Prepare | None = None) -> None:
        self._access = access
        self._rota = rota
        self._prepare = prepare
        self._context: ssl.SSLContext | None = None
        self._reset()

    def _reset(self) -> None:
        self._idle: list[tuple[float, Connection]] = []
        self._turns = asyncio.Semaphore(self._access.connections)

    async def run(self, ask: Callable[[Connection], Awaitable[T]]) -> T:
        """Ask on a connection; where a server fails, the next one on a new connection.

        Raises
        ------
        IdentityUnavailable
            When no server answers.
        """
        async with self._turns:
            if (connection := self._reusable()) is not None:
                try:
                    return await self._ask(connection, ask)
                except ClosedError:
                    pass  # it may have been closed since it was last used: no fault of the server
                except (OSError, GarbledError, BusyError):
                    self._rota.failed(connection.server)
            failures = []
            tls = await self._tls()
            for server in self._rota.in_order():
                try:
                    answer = await self._ask(await self._open(server, tls), ask)
                except (OSError, ClosedError, GarbledError, BusyError) as error:
                    self._rota.failed(server)
                    failures.append(f"{server}: {_told(error)}")
                    continue
                self._rota.answered(server)
                return answer
        raise IdentityUnavailable("; ".join(failures), transient=False)

    def close(self) -> None:
        """Hang up all connections that nobody uses now."""
        for _, connection in self._idle:
            connection.abort()
        self._reset()

    def _reusable(self) -> Connection | None:
        while self._idle:
            since, connection = self._idle.pop()
            is_fresh = connection.is_open and time.monotonic() - since < MAX_IDLE
            if is_fresh and not self._rota.has_failed(connection.server):
                return connection
            connection.abort()
        return None

    async def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            try:
                self._context = await asyncio.to_thread(self._access.context)
            except OSError as error:
                raise IdentityUnavailable(
                    f"cannot read the certificates to trust: {_told(error)}", transient=False
                ) from None
        return self._context

    async def _open(self, server: Server, tls: ssl.SSLContext) -> Connection:
        connection = None
        try:
            async with asyncio.timeout(self._access.timeout):
                connection = await Connection.open(server, tls, self._access.max_bytes)
                if self._prepare is not None:
                    await self._prepare(connection)
        except BaseException:
            if connection is not None:
                connection.abort()
            raise
        return connection

    async def _ask(self, connection: Connection, ask: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._access.timeout):
                answer = await ask(connection)
        except BaseException:
            connection.abort()
            raise
        self._idle.append((time.monotonic(), connection))
        return answer


def _told(error: Exception) -> str:
    """Say what happened, for the log of the operator."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)
