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
    STALE = "stale"
    """What is known of the person's groups is too old."""
    QUOTA = "quota"
    """The namespace has no room left for the pod."""
    LIMIT = "limit"
    """The pod is larger than the namespace allows."""
    CLUSTER = "cluster"
    """Kubernetes does not answer."""
    IMAGE = "image"
    """The image cannot be pulled."""
    CONTAINER = "container"
    """A container does not start, or ended at once."""
    EVICTED = "evicted"
    """The pod was deleted or evicted before it was ready."""
    TIMEOUT = "timeout"
    """The pod was not ready in time."""


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

    def __init__(self, reason: StrEnum, message: str, *, detail: str = "", rule: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.detail = detail
        self.rule = rule
        self.status_code = _STATUS_CODES.get(reason, 503)
        """403 where the rules say no, 429 where there is no room, 503 for all that is broken."""


_STATUS_CODES: dict[StrEnum, int] = {
    Reason.NONE_PERMITTED: 403,
    Reason.PROFILE: 403,
    Reason.CHOICE: 403,
    Reason.OPTIONS: 403,
    Reason.STALE: 403,
    Reason.LIMIT: 403,
    Reason.QUOTA: 429,
}
