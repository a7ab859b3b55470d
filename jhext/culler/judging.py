"""The verdict on a server in one pass, from all that is known of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .clock import Clock
from .model import moment
from .policy import Rules
from .revocation import Revocations
from .usage import Usage
from .verdict import Server, Verdict, Why, told

_UNHEARD = Verdict(False, Why.UNKNOWN, "the hub was away, and cannot know yet who works")


class Judge:
    """Puts rules, rights and Prometheus together.

    Parameters
    ----------
    rules, clock, revocations, usage
        What verdicts come from.
    """

    def __init__(self, rules: Rules, clock: Clock, revocations: Revocations, usage: Usage) -> None:
        self.rules = rules
        self.usage = usage
        self._clock = clock
        self._revocations = revocations

    @property
    def now(self) -> float:
        """What the hub's clock says."""
        return self._clock.now(time.monotonic())

    def judge(self, server: Server) -> Verdict:
        """Decide by times, rules and rights."""
        return self._first(server, self._judge_times(server))

    def _first(self, server: Server, verdict: Verdict) -> Verdict:
        """Give what ends the server first: a verdict, or the end of a right."""
        revoked = self.judge_right(server)
        if revoked is None or (not revoked.stop and (verdict.stop or verdict.at <= revoked.at)):
            return verdict
        return revoked

    def _judge_times(self, server: Server) -> Verdict:
        verdict = self.rules.judge(server, self.now)
        seen = max(server.started or 0.0, server.last_activity or 0.0)
        idles = verdict.stop and verdict.why is Why.IDLE
        if idles and not self._clock.has_heard(seen, verdict.limit, time.monotonic()):
            return _UNHEARD
        return verdict

    def judge_right(self, server: Server) -> Verdict | None:
        """Decide by rights alone; None where nobody says that the right has ended."""
        grace = self.rules.settings.revoked_after
        return self._revocations.judge(server, grace, time.monotonic(), self.now)

    def asks(self, server: Server, verdict: Verdict) -> bool:
        """Tell whether Prometheus has to be asked before a verdict holds."""
        return self.usage.asks(server, verdict, self.now)

    async def refine(self, server: Server, verdict: Verdict) -> Verdict:
        """Ask Prometheus what there is to ask."""
        return self._first(server, await self.usage.refine(server, verdict, self.now))

    def notice(self, server: Server, verdict: Verdict) -> Mapping[str, Any] | None:
        """Give what the user of a server is told of its stop; None while that is not near."""
        limits = self.rules.limits(server)
        if not 0 < verdict.at - self.now <= limits.warn_before:
            return None
        why, rule = verdict.why, verdict.detail
        if why is Why.WITHIN_LIMITS:
            why = Why.AGE if verdict.rule == limits.said_by["max_age"] else Why.IDLE
        elif why in (Why.BUSY, Why.UNKNOWN):
            why, rule = Why.AGE, f"{limits.said_by['max_age']} is {told(limits.max_age)}"
        return {"at": round(verdict.at, 3), "why": str(why), "rule": rule}

    def judge_user(self, user: Mapping[str, Any]) -> Verdict | None:
        """Say that somebody is to be deleted; None where they stay, also when in doubt."""
        last = moment(user.get("last_activity"))
        if last is None or user.get("servers") != {} or "groups" not in user or "admin" not in user:
            return None
        groups = tuple(user["groups"])
        limit = self.rules.cull_user(user["name"], groups, admin=user["admin"])
        if last + limit > self.now:
            return None
        return Verdict(True, Why.IDLE, "cull_users with timeout", limit)
