"""What a server, or somebody on the way to it, can do to a connection."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trustme

from jhext.identity.ldap.access import Server, Tls
from jhext.identity.ldap.connection import Connection
from jhext.identity.ldap.inbox import ClosedError, GarbledError

START_TLS_DONE = bytes.fromhex("300c02010178070a010004000400")
REFUSED_START_TLS = bytes.fromhex("300c02010178070a013504000400")
FORGED_BIND = bytes.fromhex("300c02010261070a010004000400")
REFUSED_BIND = bytes.fromhex("300c02010261070a013104000400")
OTHER_NUMBER = bytes.fromhex("300c02010961070a010004000400")
DISCONNECTION = bytes.fromhex("300c02010078070a013404000400")

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(speak: Speak) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await speak(reader, writer)
            writer.close()
            await writer.wait_closed()
        served.set()

    served = asyncio.Event()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await served.wait()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def encrypts(authority: trustme.CA, before: bytes, after: bytes) -> Speak:
    """Answer StartTLS, encrypt, and give one more answer."""
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(own)

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(before)
        await writer.start_tls(own)
        await reader.read(1000)
        writer.write(after)
        await writer.drain()
        await reader.read()

    return speak


async def test_nothing_said_before_encryption_counts_afterwards(
    authority: trustme.CA, trust: ssl.SSLContext
) -> None:
    """Otherwise somebody on the way could answer the next bind: a login without a password."""
    speak = encrypts(authority, START_TLS_DONE + FORGED_BIND, REFUSED_BIND)
    async with serving(speak) as port:
        server = Server("127.0.0.1", port, Tls.START_TLS)
        connection = await Connection.open(server, trust, 1000)
        assert (await connection.bind("cn=alice", "pw")).code == 49
        connection.abort()


async def test_no_start_tls_no_connection(trust: ssl.SSLContext) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"1.3.6.1.4.1.1466.20037" in await reader.read(1000)
        writer.write(REFUSED_START_TLS)
        assert await reader.read() == b""  # and nothing more is sent

    async with serving(speak) as port:
        with pytest.raises(GarbledError, match="no StartTLS"):
            await Connection.open(Server("127.0.0.1", port, Tls.START_TLS), trust, 1000)


@pytest.mark.parametrize(
    ("answer", "error"),
    [(OTHER_NUMBER, GarbledError), (DISCONNECTION, ClosedError), (b"", ClosedError)],
)
async def test_answers_to_nothing(
    trust: ssl.SSLContext, answer: bytes, error: type[Exception]
) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)

    async with serving(speak) as port:
        connection = await Connection.open(Server("127.0.0.1", port, Tls.NONE), trust, 1000)
        with pytest.raises(error):
            await connection.bind("cn=alice", "pw")
        connection.abort()
