"""LDAP on the wire: names are values, and what is garbled is told."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.utils.asn1 import compute_ber_size

from jhext.identity.ldap import filters, messages
from jhext.identity.ldap.inbox import ClosedError, GarbledError, Inbox
from jhext.identity.ldap.messages import Kind, Outcome, Search

HOSTILE = st.text(st.one_of(st.sampled_from("*()\\\0&|!=<>~: {}%"), st.characters()), max_size=40)
EQUALITY = 0xA3


def parts(data: bytes) -> list[tuple[int, bytes]]:
    """Read one level of BER."""
    found, at = [], 0
    while at < len(data):
        length, offset = compute_ber_size(data[at:])
        found.append((data[at], data[at + offset : at + offset + length]))
        at += offset + length
    return found


def asking(condition: str) -> bytes:
    return messages.search(1, Search(base="", filter=condition))


def filter_of(message: bytes) -> tuple[int, bytes]:
    (_, content), *_ = parts(message)
    _, (_, request) = parts(content)[:2]
    return parts(request)[6]


@given(value=HOSTILE.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)))
def test_d51_a_name_is_a_value_and_nothing_else(value: str) -> None:
    if not value:
        return
    tag, content = filter_of(asking(filters.equal("uid", value)))
    assert tag == EQUALITY
    assert parts(content) == [(4, b"uid"), (4, value.encode())]


@given(value=st.binary(min_size=1, max_size=40))
def test_d51_bytes_are_a_value_too(value: bytes) -> None:
    tag, content = filter_of(asking(filters.equal("sid", value)))
    assert (tag, parts(content)[1][1]) == (EQUALITY, value)


def test_halves_of_characters_are_no_name() -> None:
    with pytest.raises(UnicodeEncodeError):
        filters.equal("uid", "\ud800")


@given(name=HOSTILE, password=HOSTILE)
def test_a_bind_says_what_was_given(name: str, password: str) -> None:
    try:
        expected = [(4, name.encode()), (0x80, password.encode())]
    except UnicodeEncodeError:
        return
    if not name or not password:
        with pytest.raises(GarbledError) as error:
            messages.bind(1, name, password)
        assert error.value.__cause__ is None
        return
    (_, content), *_ = parts(messages.bind(1, name, password))
    assert parts(parts(content)[1][1])[1:] == expected


@pytest.mark.parametrize("wrong", ["", "(", "uid=a", "(uid)", "(&", "(uid=a))", "(!(a=b)(c=d))"])
def test_a_filter_that_is_none(wrong: str) -> None:
    with pytest.raises(GarbledError):
        asking(wrong)


SUCCESS = bytes.fromhex("300c02010161070a010004000400")


def test_an_answer() -> None:
    message = messages.decode(SUCCESS)
    assert (message.number, message.kind, message.content) == (1, Kind.BIND, Outcome(0, ""))


@given(
    data=st.binary(max_size=80) | st.builds(lambda tail: SUCCESS[:6] + tail, st.binary(max_size=40))
)
def test_garbage_is_told_or_read_but_ends_nothing(data: bytes) -> None:
    with contextlib.suppress(GarbledError):
        messages.decode(data)


class Transport(asyncio.Transport):
    aborted = False

    def abort(self) -> None:
        self.aborted = True


def inbox(max_bytes: int = 1000) -> Inbox:
    made = Inbox(max_bytes)
    made.connection_made(Transport())
    return made


@given(cuts=st.lists(st.integers(1, 30), max_size=20), size=st.integers(0, 300))
def test_messages_come_in_pieces(cuts: list[int], size: int) -> None:
    long = b"\x30\x82" + size.to_bytes(2) + bytes(size)
    stream = SUCCESS + long + SUCCESS

    async def read() -> list[bytes]:
        made, at = inbox(), 0
        first = asyncio.create_task(made.message())
        for cut in [*cuts, len(stream)]:
            made.data_received(stream[at : at + cut])
            at += cut
            await asyncio.sleep(0)
        return [await first, await made.message(), await made.message()]

    assert asyncio.run(read()) == [SUCCESS, long, SUCCESS]


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400", b"\x30\x80", b"\x30\x85\0\0\0\0\1", b"\0"])
async def test_what_is_no_ldap(garbage: bytes) -> None:
    made = inbox()
    made.data_received(garbage)
    with pytest.raises(GarbledError):
        await made.message()


async def test_too_much() -> None:
    made = inbox(max_bytes=20)
    made.data_received(b"\x30\x82\x40\x00")
    with pytest.raises(GarbledError, match="more than 20"):
        await made.message()
    made.data_received(bytes(30))
    assert isinstance(made.transport, Transport)
    assert made.transport.aborted


async def test_the_end() -> None:
    made = inbox()
    waiting = asyncio.create_task(made.message())
    await asyncio.sleep(0)
    made.data_received(SUCCESS[:5])
    made.connection_lost(None)
    with pytest.raises(ClosedError):
        await waiting
    assert not made.is_open
