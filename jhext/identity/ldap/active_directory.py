"""What is Active Directory's own: primary groups by number, attributes in slices."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"(?P<name>[^;]+);range=(?P<first>\d+)-(?P<last>\d+|\*)")


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of an attribute with more values than are sent at once (MS-ADTS, 3.1.1.3.1.3.3).

    Parameters
    ----------
    name
        The attribute.
    last
        The number of the last value that is in it; None where there are no more.
    """

    name: str
    last: int | None

    @property
    def following(self) -> str:
        """What to ask for next."""
        return f"{self.name};range={(self.last or 0) + 1}-*"


def slice_of(attribute: str) -> Slice | None:
    """Tell whether an attribute, as the server names it, holds only a part of the values."""
    match = _RANGE.fullmatch(attribute)
    if match is None:
        return None
    return Slice(match["name"], None if match["last"] == "*" else int(match["last"]))


def primary_group(sid: bytes, primary_group_id: str) -> bytes:
    """Give the SID of somebody's primary group: the RID of the person's replaced."""
    return sid[:-4] + int(primary_group_id).to_bytes(4, "little")
