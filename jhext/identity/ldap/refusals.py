"""Why a password was refused, as directories say it in result codes and in texts."""

from __future__ import annotations

import re

from .errors import Cause
from .messages import Outcome

_BY_CODE = {  # RFC 4511, 4.1.9
    19: Cause.LOCKED,  # constraintViolation: 389 Directory Server, too many wrong passwords
    32: Cause.CREDENTIALS,  # noSuchObject
    48: Cause.CREDENTIALS,  # inappropriateAuthentication: the entry has no password
    49: Cause.CREDENTIALS,  # invalidCredentials
    53: Cause.DISABLED,  # unwillingToPerform: 389 Directory Server, an inactive account
}
_DATA = re.compile(r"\bdata ([0-9a-f]{3,4})\b")
_BY_DATA = {  # Windows' errors of a logon, in hexadecimal
    "525": Cause.CREDENTIALS,  # no such user
    "52e": Cause.CREDENTIALS,  # another password
    "530": Cause.HOURS,  # not at this time
    "531": Cause.HOURS,  # not at this machine
    "532": Cause.PASSWORD_EXPIRED,
    "533": Cause.DISABLED,
    "701": Cause.EXPIRED,
    "773": Cause.PASSWORD_CHANGE,
    "775": Cause.LOCKED,
}


def cause_of(outcome: Outcome) -> Cause | None:
    """Say why a bind was refused, or None where it was not: the directory could not decide.

    Active Directory hides the reason in the text of ``invalidCredentials``, after ``data``.
    """
    cause = _BY_CODE.get(outcome.code)
    match = _DATA.search(outcome.message.lower())
    if cause is Cause.CREDENTIALS and match is not None:
        return _BY_DATA.get(match[1], cause)
    return cause
