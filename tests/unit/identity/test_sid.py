"""Ids from SIDs: what SSSD's own tests publish, and what its library says where it is there."""

import ctypes
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.identity.sid import Sid, Slices, murmur3, parse

NEEDED = "needs SSSD's library: apt-get install libsss-idmap0"

# src/tests/sss_idmap-tests.c of SSSD
TEST_SID = "S-1-5-21-2127521184-1604012920-1887927527-72713"
TEST_BIN_SID = bytes.fromhex("010500000000000515000000a065cf7e784b9b5fe77c8770091c0100")
DOMAIN = "S-1-5-21-1-2-3"


def test_the_bytes_that_sssd_tests_with() -> None:
    assert str(parse(TEST_BIN_SID)) == TEST_SID


@pytest.mark.parametrize(("rid", "uid"), [(4_000_000, 351_800_000), (210_000, 832_610_000)])
def test_the_ids_that_sssd_tests_with(rid: int, uid: int) -> None:
    assert Slices().id_of(Sid(DOMAIN, rid), DOMAIN) == uid


@pytest.mark.parametrize(
    ("data", "seed", "value"),
    [(b"", 0, 0), (b"", 1, 0x514E28B7), (b"test", 0x9747B28C, 0x704B81DC), (b"abc", 0, 0xB3DD93FA)],
)
def test_the_hash_has_the_values_that_are_known_of_it(data: bytes, seed: int, value: int) -> None:
    assert murmur3(data, seed) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        TEST_BIN_SID[:-1],
        TEST_BIN_SID + b"\0",
        b"\x02" + TEST_BIN_SID[1:],
        TEST_BIN_SID[:8] + b"\x16" + TEST_BIN_SID[9:],
        bytes.fromhex("01020000000000052000000020020000"),  # S-1-5-32-544, the administrators
    ],
)
def test_what_is_no_account_of_a_domain_has_no_id(data: bytes) -> None:
    with pytest.raises(ValueError, match="not the SID"):
        parse(data)


def test_a_slice_that_two_domains_would_share_gives_no_ids() -> None:
    slices = Slices(range_min=1000, range_max=3000, range_size=1000)
    same = [n for n in range(20) if slices._slice(f"S-1-5-21-1-2-{n}") == slices._slice(DOMAIN)]
    other = Sid(f"S-1-5-21-1-2-{next(n for n in same if n != 3)}", 5)
    with pytest.raises(ValueError, match="is that of"):
        slices.id_of(other, DOMAIN)


def test_a_range_without_a_slice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no slice"):
        Slices(range_min=1000, range_max=1500, range_size=1000)


class Range(ctypes.Structure):
    _fields_ = [("min", ctypes.c_uint32), ("max", ctypes.c_uint32)]


@pytest.fixture(scope="module")
def sssd() -> ctypes.CDLL:
    try:
        return ctypes.CDLL("libsss_idmap.so.0")
    except OSError:
        pytest.skip(NEEDED)


WORDS = st.integers(0, 2**32 - 1)


@given(words=st.tuples(WORDS, WORDS, WORDS), rid=st.integers(0, 199_999))
def test_sssd_says_the_same(sssd: ctypes.CDLL, words: tuple[int, int, int], rid: int) -> None:
    data = b"\x01\x05\0\0\0\0\0\x05" + struct.pack("<5L", 21, *words, rid)
    sid = parse(data)
    context = ctypes.c_void_p()
    assert sssd.sss_idmap_init(None, None, None, ctypes.byref(context)) == 0
    try:
        asked = Range()
        domain = sid.domain.encode()
        assert sssd.sss_idmap_calculate_range(context, domain, None, ctypes.byref(asked)) == 0
        assert sssd.sss_idmap_add_domain(context, b"d", domain, ctypes.byref(asked)) == 0
        number = ctypes.c_uint32()
        said = sssd.sss_idmap_sid_to_unix(context, str(sid).encode(), ctypes.byref(number))
        assert said == 0
    finally:
        sssd.sss_idmap_free(context)
    assert Slices().id_of(sid, sid.domain) == number.value
