"""One connection to one server of a directory: a request, its answer, the next request."""

from __future__ import annotations

import asyncio
import ssl

from . import messages
from .access import Server, Tls
from .inbox import ClosedError, GarbledError, Inbox
from .messages import Found, Kind, Message, Outcome, Search

_LONG = 1000  # characters of a filter
_FAIR = 50  # entries that are decoded before others in the event loop get a turn
_NEXT_ADDRESS = 0.25  # seconds until the next address of a host is tried: RFC 8305, 5


class Connection:
    """Speaks with one server. After an error, or a cancelled wait, it is of no more use.

    Parameters
    ----------
    server
        The server.
    inbox
        What comes from it, decrypted where it is encrypted.
    max_bytes
        How long the answer to one request may be, in bytes.
    """

    def __init__(self, server: Server, inbox: Inbox, max_bytes: int) -> None:
        self.server = server
        self._inbox = inbox
        self._max_bytes = max_bytes
        self._number = 0

    @property
    def is_open(self) -> bool:
        """Whether the server has kept it open, as far as is known."""
        return self._inbox.is_open

    @classmethod
    async def open(cls, server: Server, tls: ssl.SSLContext, max_bytes: int) -> Connection:
        """Connect, and encrypt where that is wanted.

        Raises
        ------
        OSError
            When there is no connection, or the certificate is not accepted.
        ClosedError
            When the server hangs up.
        GarbledError
            When it does not speak LDAP, or no StartTLS.
        """
        encrypted = server.tls is Tls.ON_CONNECT
        _, inbox = await asyncio.get_running_loop().create_connection(
            lambda: Inbox(max_bytes),
            server.host,
            server.port,
            ssl=tls if encrypted else None,
            server_hostname=server.host if encrypted else None,
            happy_eyeballs_delay=_NEXT_ADDRESS,
        )
        connection = cls(server, inbox, max_bytes)
        if server.tls is Tls.START_TLS:
            try:
                await connection._start_tls(tls)
            except BaseException:
                connection.abort()
                raise
        return connection

    async def bind(self, name: str, password: str) -> Outcome:
        """Become somebody, or nobody where the outcome is not success."""
        return (await self._exchange(messages.bind(self._next(), name, password), Kind.BIND))[1]

    async def search(self, question: Search) -> tuple[list[Found], Outcome]:
        """Ask, page by page where the question says so. References to other servers are left."""
        found, outcome = await self._exchange(await self._written(question), Kind.DONE)
        while outcome.cookie and outcome.code == 0:
            request = await self._written(question, outcome.cookie)
            more, outcome = await self._exchange(request, Kind.DONE)
            found += more
        return found, outcome

    async def _written(self, question: Search, cookie: bytes = b"") -> bytes:
        """Write a search; ldap3 takes milliseconds for each kilobyte of a filter."""
        if len(question.filter) < _LONG:
            return messages.search(self._next(), question, cookie)
        return await asyncio.to_thread(messages.search, self._next(), question, cookie)

    def abort(self) -> None:
        """Hang up."""
        self._inbox.transport.abort()

    async def _start_tls(self, tls: ssl.SSLContext) -> None:
        _, outcome = await self._exchange(messages.start_tls(self._next()), Kind.EXTENDED)
        if outcome.code != 0:
            raise GarbledError(f"no StartTLS (result {outcome.code})")
        # With a new inbox nothing that came before encryption is ever read as if it came after.
        inbox = Inbox(self._max_bytes)
        transport = await asyncio.get_running_loop().start_tls(
            self._inbox.transport, inbox, tls, server_hostname=self.server.host
        )
        if transport is None:
            raise ClosedError("hung up during StartTLS")
        inbox.connection_made(transport)
        self._inbox = inbox

    def _next(self) -> int:
        self._number += 1
        return self._number

    async def _exchange(self, request: bytes, last: Kind) -> tuple[list[Found], Outcome]:
        """Send a request and gather all that belongs to its answer."""
        found: list[Found] = []
        left = self._max_bytes
        self._inbox.transport.write(request)
        while True:
            data = await self._inbox.message()
            left -= len(data)
            if left < 0:
                raise GarbledError(f"an answer of more than {self._max_bytes} bytes")
            message = messages.decode(data)
            self._check(message)
            if isinstance(message.content, Found):
                found.append(message.content)
                if len(found) % _FAIR == 0:
                    await asyncio.sleep(0)
            elif message.kind is last and message.content is not None:
                return found, message.content

    def _check(self, message: Message) -> None:
        if message.number == 0:  # RFC 4511, 4.4: nobody has asked
            raise ClosedError("says that it closes the connection")
        if message.number != self._number:
            raise GarbledError("an answer to another request")
