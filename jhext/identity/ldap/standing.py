"""Whether an account is in use, as far as its attributes say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .entry import Entry
from .errors import Cause

ATTRIBUTES = ("userAccountControl", "accountExpires", "nsAccountLock", "pwdAccountLockedTime")
"""What has to be asked for."""

_DISABLED = 0x2  # ADS_UF_ACCOUNTDISABLE
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)  # of Windows, which counts steps of 100 ns; 0 is never
_FOR_GOOD = "000001010000Z"  # draft-behera-ldap-password-policy, 5.3.3


def standing(entry: Entry, now: datetime) -> Cause | None:
    """Say why somebody may not go on, or None.

    A password that is too old is no reason: it says nothing against who has logged in before. What
    is no number counts as a reason, since nobody knows what it was meant to say.

    Parameters
    ----------
    entry
        The person, with the attributes named in `ATTRIBUTES`.
    now
        The time, with a zone.
    """
    ticks = (now - _EPOCH) // timedelta(microseconds=1) * 10
    try:
        if int(entry.text("userAccountControl") or 0) & _DISABLED:
            return Cause.DISABLED
        if 0 < int(entry.text("accountExpires") or 0) <= ticks:
            return Cause.EXPIRED
    except ValueError:
        return Cause.DISABLED
    if (entry.text("nsAccountLock") or "").lower() == "true":
        return Cause.DISABLED
    return Cause.LOCKED if entry.text("pwdAccountLockedTime") == _FOR_GOOD else None
