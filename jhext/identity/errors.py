"""Why there is no identity: the rules say no, or a source does not answer."""

from __future__ import annotations

from enum import StrEnum

from jhext.refusal import Refusal


class Reason(StrEnum):
    """The fixed labels under which a missing identity is counted."""

    UNKNOWN = "identity_unknown"
    """No source knows the person."""
    MISSING = "identity_missing"
    """A field that must be there is not."""
    INVALID = "identity_invalid"
    """A field has a value that cannot be used."""
    TAKEN = "identity_taken"
    """The uid belongs to somebody else."""
    UNAVAILABLE = "identity_unavailable"
    """A source, or the ledger, did not answer, or not with what was expected of it."""


class IdentityError(Refusal):
    """There is no identity, so there is no pod.

    Parameters
    ----------
    reason
        The label under which it is counted.
    detail
        What the operator's log is told. It names sources and values, never secrets.
    """

    told = ""
    """What the person is told."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, self.told, detail=detail)

    def __str__(self) -> str:
        return self.detail


class IdentityRefused(IdentityError):  # noqa: N818 - policy, not an error
    """The rules say no; the same answer comes until somebody changes the person's data."""

    told = (
        "Your account cannot be used for a server yet: what is known of it in the directory "
        "is missing or not acceptable. Please ask the administrators of this hub."
    )

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.status_code = 403


class IdentityUnavailable(IdentityError):  # noqa: N818 - the other word of the same pair
    """A source does not answer; nothing is said about the person.

    Parameters
    ----------
    detail
        What the operator's log is told. It names sources, never secrets.
    transient
        Whether asking again at once may help.
    """

    told = (
        "Your account could not be looked up just now, so no server was started. "
        "Please try again in a few minutes."
    )

    def __init__(self, detail: str, *, transient: bool = True) -> None:
        super().__init__(Reason.UNAVAILABLE, detail)
        self.transient = transient


class BadValueError(ValueError):
    """A single value cannot be used; the text says why, without the name of the field."""
