"""A server as the hub shows it, and what is to happen to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from jhext.units import format_duration


class Why(StrEnum):
    """Why a server is stopped or stays. The labels are fixed: metrics count by them."""

    IDLE = "idle"
    AGE = "age"
    REVOKED = "revoked"
    WITHIN_LIMITS = "within_limits"
    NEVER = "never"
    EXTENDED = "extended"
    WINDOW = "window"
    BUSY = "busy"
    WASTE = "waste"
    PENDING = "pending"
    NOT_RUNNING = "not_running"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Server:
    """A server as the hub shows it. Times are seconds since 1970.

    Parameters
    ----------
    user, name
        Whose it is, and its name, empty for the default server.
    groups
        The user's groups; None where they cannot be seen.
    profile
        The slug of the profile that was granted, empty where none was; None where it cannot be
        seen.
    granted
        The limits that were granted with it.
    ready, pending
        Whether it can be used, and what is being done with it.
    started, last_activity
        When it was started, which only the hub says, and when it was used last, which its user
        can make up.
    extended_until
        Until when its user has put off the stop.
    pod, namespace
        Its pod, empty where that cannot be seen.
    """

    user: str
    name: str = ""
    groups: tuple[str, ...] | None = ()
    profile: str | None = ""
    granted: Mapping[str, Any] = field(default_factory=dict)
    ready: bool = True
    pending: str = ""
    started: float | None = None
    last_activity: float | None = None
    extended_until: float = 0.0
    pod: str = ""
    namespace: str = ""

    @property
    def full_name(self) -> str:
        """The user and the name, as JupyterHub writes them."""
        return f"{self.user}/{self.name}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to happen to a server, and why.

    Parameters
    ----------
    stop
        Whether it is to be stopped now.
    why
        The label.
    rule
        The rule that decides, or what stands against deciding.
    limit
        How many seconds the rule gives; infinity where it is not about a time.
    at
        When the server will be stopped if it is not used any more, in seconds since 1970.
    """

    stop: bool
    why: Why
    rule: str
    limit: float = math.inf
    at: float = math.inf

    @property
    def detail(self) -> str:
        """A sentence for operators and for its user."""
        return self.rule if self.limit == math.inf else f"{self.rule} is {told(self.limit)}"


def printable(text: str) -> str:
    """Write what somebody else has named, so that it is no line of a log or a terminal's order."""
    if text.isprintable():
        return text
    return "".join(it if it.isprintable() else ascii(it)[1:-1] for it in text)


def told(seconds: float) -> str:
    """Write seconds for people."""
    return "never" if seconds == math.inf else format_duration(timedelta(seconds=round(seconds)))
