"""Numeric ids: which numbers may be a uid or a gid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .errors import BadValueError

KUBERNETES_MAX_ID = 2**31 - 1
"""The largest id that Kubernetes takes (``IsValidUserID`` and ``IsValidGroupID``)."""

RESERVED_IDS = frozenset({65534, 65535})
"""``nobody``, which the kernel shows for every id it cannot map, and the 16-bit ``-1``."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")


def parse_id(value: Any) -> int:
    """Read a numeric id strictly.

    Parameters
    ----------
    value
        An integer, or its decimal digits without sign, spaces, or leading zeros. Directories
        often give numbers as text; everything else that Python or JSON would turn into a number
        (``True``, ``1000.0``, ``"1e3"``, ``"0x3e8"``, ``["1000"]``) is a mistake in the source.

    Raises
    ------
    BadValueError
        When it is anything else, or not in the 32 bits that an id has.
    """
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, list | tuple):
        raise BadValueError("is a list; name one element of it, such as a pointer ending in /0")
    else:
        raise BadValueError(f"is not a whole decimal number but {shown(value)}")
    if not 0 <= number < 2**32 - 1:
        raise BadValueError(f"{number} is no id: ids go from 0 to 4294967294")
    return number


def shown(value: Any) -> str:
    """Write a value from outside for a log: short, printable, and in quotes."""
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


@dataclass(frozen=True, slots=True)
class IdRules:
    """The ranges that ids must be in.

    Parameters
    ----------
    min_uid, max_uid
        The range for people, both ends included.
    min_gid, max_gid
        The range for groups, both ends included.
    reserved_ids
        Ids that nobody may have.
    allow_root
        Whether uid 0 and gid 0 may be had in spite of the range.
    """

    min_uid: int = 1000
    max_uid: int = KUBERNETES_MAX_ID
    min_gid: int = 100
    max_gid: int = KUBERNETES_MAX_ID
    reserved_ids: frozenset[int] = RESERVED_IDS
    allow_root: bool = False

    def uid(self, value: Any) -> int:
        """Read a uid that a person may have, or raise `BadValueError`."""
        return self._check(parse_id(value), self.min_uid, self.max_uid)

    def gid(self, value: Any) -> int:
        """Read a gid that a person may be given, or raise `BadValueError`."""
        return self._check(parse_id(value), self.min_gid, self.max_gid)

    def _check(self, number: int, low: int, high: int) -> int:
        if number == 0:
            if self.allow_root:
                return number
            raise BadValueError("0 is root, and allow_root is not set")
        if number in self.reserved_ids:
            raise BadValueError(f"{number} is reserved")
        if number > KUBERNETES_MAX_ID:
            raise BadValueError(f"{number} is more than Kubernetes takes ({KUBERNETES_MAX_ID})")
        if not low <= number <= high:
            raise BadValueError(f"{number} is not between {low} and {high}")
        return number
