"""A refusal: policy says no, for one of a few fixed reasons."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a server is not started. The labels are fixed: metrics count by them."""

    NONE_PERMITTED = "none_permitted"
    """No profile at all is permitted."""
    PROFILE = "profile"
    """The profile asked for does not exist or is not permitted; nobody learns which."""
    CHOICE = "choice"
    """The choice of an option does not exist or is not permitted; nobody learns which."""
    OPTIONS = "options"
    """The options are malformed: unknown keys, wrong types, unacceptable free text."""
    CONFIG = "config"
    """The operator's configuration is faulty, so nothing can be decided."""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A server may not be started.

    Parameters
    ----------
    reason
        The fixed label under which it is counted.
    message
        What the person is told. It names nothing that they may not see.
    detail
        What the log is told besides, by default nothing.
    rule
        The rule that decided, where one did.
    """

    def __init__(self, reason: Reason, message: str, *, detail: str = "", rule: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.detail = detail
        self.rule = rule

    @property
    def status_code(self) -> int:
        """503 where the hub is at fault, 403 where the rules say no."""
        return 503 if self.reason is Reason.CONFIG else 403
