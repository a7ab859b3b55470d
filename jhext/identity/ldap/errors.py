"""Why a directory did not let somebody in."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """The fixed labels of a refused login."""

    CREDENTIALS = "credentials"
    """No such person, or another password; directories don't say which."""
    AMBIGUOUS = "ambiguous"
    """What was typed, or the name of its entry, could be several people's."""
    DISABLED = "disabled"
    """The account is switched off."""
    EXPIRED = "expired"
    """The account's time is over."""
    LOCKED = "locked"
    """Too many wrong passwords."""
    HOURS = "hours"
    """Not at this time, or not from here."""
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 - a label
    """The password is too old."""
    PASSWORD_CHANGE = "password_change"  # noqa: S105 - a label
    """The password has to be changed first, elsewhere."""


TOLD = {
    Cause.CREDENTIALS: "Invalid username or password.",
    Cause.AMBIGUOUS: "This name is not unique in the directory. Please ask the administrators.",
    Cause.DISABLED: "This account is disabled. Please ask the administrators.",
    Cause.EXPIRED: "This account has expired. Please ask the administrators.",
    Cause.LOCKED: "This account is locked after too many wrong passwords. Please try again later.",
    Cause.HOURS: "This account may not log in now or from here.",
    Cause.PASSWORD_EXPIRED: "Your password has expired. Change it, then log in.",
    Cause.PASSWORD_CHANGE: "Your password has to be changed before you can log in here.",
}
"""What the person is told for each cause."""


class LoginRefused(Exception):  # noqa: N818 - policy, not an error
    """The directory knows the person but does not let them in, or knows nobody by that name.

    Parameters
    ----------
    cause
        The label under which it is counted.
    detail
        What the operator's log is told. It never holds a password.
    """

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause

    @property
    def told(self) -> str:
        """What the person may be told."""
        return TOLD[self.cause]
