"""Faults that tests ask for: requests that are slow, fail, or get no answer."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

from aiohttp import web

from .errors import ApiError


@dataclass
class Fault:
    """What happens to requests whose ``METHOD /path?query`` the pattern is found in.

    Attributes
    ----------
    pattern
        A regular expression, such as ``"^POST .*/pods"``.
    delay
        Seconds before anything else happens.
    status, reason
        The failure that is answered; with no status the request goes on after the delay.
    retry_after
        Seconds in the answer's ``Retry-After``.
    times
        How many requests are still hit; None for all.
    """

    pattern: str
    delay: float = 0
    status: int | None = None
    reason: str = "InternalError"
    retry_after: int | None = None
    times: int | None = None

    def hits(self, request: str) -> bool:
        """Return whether a request is hit, and count it if so."""
        if self.times == 0 or not re.search(self.pattern, request):
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class Drop(Fault):
    """A fault by which the connection is closed without an answer."""


@dataclass
class Faults:
    """The faults in force; append to and clear ``active``."""

    active: list[Fault] = field(default_factory=list)

    async def apply(self, request: web.Request) -> web.StreamResponse | None:
        """Let a request meet the first fault that hits it.

        Returns the end of a request that nobody is to answer, and None for one to go on with.

        Raises
        ------
        ApiError
            The failure that the fault asks for.
        """
        line = f"{request.method} {request.path_qs}"
        fault = next((fault for fault in self.active if fault.hits(line)), None)
        if fault is None:
            return None
        await asyncio.sleep(fault.delay)
        if isinstance(fault, Drop) and request.transport:
            request.transport.abort()
            return web.Response()  # to nobody
        if fault.status is not None:
            details = {} if fault.retry_after is None else {"retryAfterSeconds": fault.retry_after}
            raise ApiError(fault.status, fault.reason, "injected by a test", **details)
        return None
