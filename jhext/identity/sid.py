"""Ids from Active Directory's SIDs, the same that SSSD gives (``ldap_id_mapping``).

Each domain has one slice of the range, chosen by a hash of its SID, and each RID a place in that
slice: https://sssd.io/docs/ad/ad-id-mapping.html, and ``sss_idmap_calculate_range`` in SSSD.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SEED = 0xDEADBEEF
_32_BITS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Sid:
    """A security identifier of a domain's account.

    Parameters
    ----------
    domain
        The SID of the domain, as ``S-1-5-21-…``.
    rid
        The number of the account in its domain.
    """

    domain: str
    rid: int

    def __str__(self) -> str:
        return f"{self.domain}-{self.rid}"


def parse(data: bytes) -> Sid:
    """Read an ``objectSid`` (MS-DTYP, 2.4.2.2).

    Raises
    ------
    ValueError
        When it is not the SID of an account in a domain, such as the built-in groups'.
    """
    if len(data) != 28 or data[:8] != b"\x01\x05\0\0\0\0\0\x05":
        raise ValueError("is not the SID of an account in a domain")
    *domain, rid = struct.unpack("<5L", data[8:])
    if domain[0] != 21:
        raise ValueError("is not the SID of an account in a domain")
    return Sid("-".join(("S-1-5", *map(str, domain))), rid)


@dataclass(frozen=True, slots=True)
class Slices:
    """The range of ids, in slices.

    Parameters
    ----------
    range_min
        The first id: SSSD's ``ldap_idmap_range_min``.
    range_max
        The first id after the range: ``ldap_idmap_range_max``.
    range_size
        How many ids a slice has: ``ldap_idmap_range_size``.

    Raises
    ------
    ValueError
        When the range does not hold a slice.
    """

    range_min: int = 200_000
    range_max: int = 2_000_200_000
    range_size: int = 200_000

    def __post_init__(self) -> None:
        if not 0 < self.range_size <= self.range_max - self.range_min:
            raise ValueError("the range holds no slice")

    def id_of(self, sid: Sid, home: str) -> int:
        """Give the id of an account.

        RIDs beyond the first slice of a domain have further slices, each by a hash of the domain's
        SID and its first RID, as with SSSD's ``ldap_idmap_helper_table_size`` of more than 0.

        Parameters
        ----------
        sid
            The account.
        home
            The domain that SSSD has met first: that of the people.

        Raises
        ------
        ValueError
            When two slices are the same one. SSSD then takes the next one for whichever domain it
            meets later, which nobody but that SSSD can know.
        """
        first_rid = sid.rid - sid.rid % self.range_size
        name = f"{sid.domain}-{first_rid}" if first_rid else sid.domain
        chosen = self._slice(name)
        if name != home and chosen == self._slice(home):
            raise ValueError(f"the slice of {name} is that of {home}")
        return self.range_min + chosen * self.range_size + sid.rid - first_rid

    def _slice(self, name: str) -> int:
        slices = (self.range_max - self.range_min) // self.range_size
        return murmur3(name.encode(), _SEED) % slices


def murmur3(data: bytes, seed: int) -> int:
    """Hash by MurmurHash3, the variant for x86 with 32 bits (Austin Appleby, public domain)."""
    value = seed
    whole = len(data) - len(data) % 4
    for (block,) in struct.iter_unpack("<L", data[:whole]):
        value = _rotated(value ^ _scrambled(block), 13) * 5 + 0xE6546B64 & _32_BITS
    value ^= _scrambled(int.from_bytes(data[whole:], "little")) ^ len(data)
    value = (value ^ value >> 16) * 0x85EBCA6B & _32_BITS
    value = (value ^ value >> 13) * 0xC2B2AE35 & _32_BITS
    return value ^ value >> 16


def _scrambled(block: int) -> int:
    return _rotated(block * 0xCC9E2D51 & _32_BITS, 15) * 0x1B873593 & _32_BITS


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & _32_BITS
