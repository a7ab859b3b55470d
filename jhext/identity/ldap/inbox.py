"""What has come from a server, cut into LDAP's messages."""

from __future__ import annotations

import asyncio

_SEQUENCE = 0x30  # the tag of every message: RFC 4511, 4.1.1
_LONG = 0x80  # a length in the following bytes: X.690, 8.1.3.5
_MAX_LENGTH_BYTES = 4


class ClosedError(Exception):
    """The server has closed the connection, or says that it will."""


class GarbledError(Exception):
    """What came is no LDAP, or what is to be sent cannot be said in LDAP."""


class Inbox(asyncio.Protocol):
    """The receiving end of one connection.

    Parameters
    ----------
    max_bytes
        How much may wait here, in bytes. A server that sends more is hung up on.
    """

    transport: asyncio.Transport

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._data = bytearray()
        self._news = asyncio.Event()
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the other direction; see `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what has come; see `asyncio.Protocol`."""
        self._data += data
        if len(self._data) > self._max_bytes:
            self.transport.abort()
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake up who waits; see `asyncio.Protocol`."""
        self.is_open = False
        self._news.set()

    async def message(self) -> bytes:
        """Wait for the next message, and give its bytes.

        Raises
        ------
        ClosedError
            When there will be none.
        GarbledError
            When it is none, or too long.
        """
        while (length := self._length()) is None or len(self._data) < length:
            if not self.is_open:
                raise ClosedError("hung up")
            if length is not None and length > self._max_bytes:
                raise GarbledError(f"an answer of more than {self._max_bytes} bytes")
            self._news.clear()
            await self._news.wait()
        message = bytes(self._data[:length])
        del self._data[:length]
        return message

    def _length(self) -> int | None:
        """Read how long the next message is, its head included; None where that is not known."""
        data = self._data
        if data[:1] not in (b"", bytes((_SEQUENCE,))):
            raise GarbledError("an answer that is no LDAP")
        if len(data) < 2:
            return None
        if data[1] < _LONG:
            return 2 + data[1]
        count = data[1] - _LONG
        if not 0 < count <= _MAX_LENGTH_BYTES:
            raise GarbledError("an answer that is no LDAP")
        if len(data) < 2 + count:
            return None
        return 2 + count + int.from_bytes(data[2 : 2 + count])
