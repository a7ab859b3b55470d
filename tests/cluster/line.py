"""The line between one hub and a server, which can be slow or cut; nobody else misses that."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from jhext.demo.processes import free_port

LOOPBACK = "127.0.0.1"


@dataclass
class Line:
    """A forwarder on loopback, open inside of ``async with``.

    Attributes
    ----------
    target
        The URL of the server.
    delay
        Seconds that everything takes that the server says.
    """

    target: str
    port: int = field(default_factory=free_port)
    delay: float = 0
    _server: asyncio.Server | None = None
    _calls: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where the API server seems to be."""
        return f"https://{LOOPBACK}:{self.port}"

    async def __aenter__(self) -> Line:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        """Take calls."""
        self._server = await asyncio.start_server(self._take, LOOPBACK, self.port)

    async def cut(self) -> None:
        """End all calls and refuse new ones."""
        if self._server:
            self._server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        where = urlsplit(self.target)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection(where.hostname, where.port)
            with contextlib.closing(writer), contextlib.closing(back):
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pump(reader, back))
                    group.create_task(_pump(there, writer, self.delay))


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float = 0
) -> None:
    """Pass on whatever comes, each piece as long after it came."""
    clock = asyncio.get_running_loop().time
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def take() -> None:
        data = b"more"
        while data:
            data = await reader.read(2**16)
            pieces.put_nowait((clock() + delay, data))

    async with asyncio.TaskGroup() as group:
        group.create_task(take())
        while True:
            due, data = await pieces.get()
            if not data:
                break
            await asyncio.sleep(due - clock())
            writer.write(data)
            await writer.drain()
    writer.close()
