"""What is to happen to a server, decided from rules and times alone."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import Any

from .limits import Limits, groups_in, limits_of
from .settings import CullerSettings, PersonRule
from .verdict import Server, Verdict, Why
from .window import opens, zone_of

END_OF_CALENDARS = 2.5e11
"""Seconds since 1970, in the year 9892; Python has no dates after 9999."""


class Rules:
    """The rules of a section, ready to be asked about many servers."""

    def __init__(self, settings: CullerSettings) -> None:
        self.settings = settings
        self._zone = zone_of(settings.time_zone)
        self._limits: dict[tuple[Any, ...], Limits] = {}

    def limits(self, server: Server) -> Limits:
        """Tell what the rules about a server come to."""
        settings = self.settings
        groups = tuple(name for name in settings.groups if name in (server.groups or ()))
        granted = () if server.profile in settings.profiles else tuple(server.granted.items())
        key = (
            server.profile if server.profile in settings.profiles else None,
            granted,
            groups,
            server.user if server.user in settings.users else None,
            server.full_name if server.full_name in settings.servers else None,
            server.name if server.name in settings.servers else bool(server.name),
        )
        found = self._limits.get(key)
        if found is None:
            found = self._limits[key] = limits_of(settings, server)
        return found

    @property
    def shortest_timeout(self) -> float:
        """The shortest ``timeout`` of any rule."""
        return min(rule.timeout for rule in self.settings.rules if rule.timeout is not None)

    @property
    def shortest_age(self) -> float:
        """The shortest ``max_age`` of any rule."""
        return min(rule.max_age for rule in self.settings.rules if rule.max_age is not None)

    @property
    def longest_warning(self) -> float:
        """The longest ``warn_before`` of any rule."""
        return max(rule.warn_before or 0.0 for rule in self.settings.rules)

    @property
    def looked_at(self) -> tuple[float, float]:
        """Of how many seconds of idleness, and of which age, servers have to be looked at."""
        rules = self.settings.rules
        ages = [self.shortest_age - self.longest_warning]
        if any(rule.wastes_if for rule in rules):
            ages += [rule.wastes_after for rule in rules if rule.wastes_after is not None]
        return max(0.0, self.shortest_timeout - self.longest_warning), max(0.0, min(ages))

    def judge(self, server: Server, now: float) -> Verdict:
        """Decide about a server.

        Parameters
        ----------
        server
            The server.
        now
            The time on the clock that its times are from.
        """
        return self._unjudged(server) or self._judge(server, self.limits(server), now)

    def judge_busy(self, server: Server, now: float) -> Verdict:
        """Decide about a server that is busy, whatever is seen of its user: its age still counts.

        Parameters
        ----------
        server
            The server.
        now
            As in `judge`.
        """
        limits = replace(self.limits(server), timeout=math.inf)
        verdict = self._unjudged(server) or self._judge(server, limits, now)
        if verdict.stop:
            return verdict
        return Verdict(False, Why.BUSY, limits.said_by["busy_if"], at=verdict.at)

    def may_waste(self, server: Server, verdict: Verdict, now: float) -> bool:
        """Tell whether it is worth asking if a server that would stay wastes what it has."""
        limits = self.limits(server)
        return (
            bool(limits.wastes_if)
            and verdict.why in (Why.WITHIN_LIMITS, Why.NEVER)
            and server.started is not None
            and now - server.started >= limits.wastes_after
            and self._opens(limits, now) <= now
        )

    def _judge(self, server: Server, limits: Limits, now: float) -> Verdict:
        ends = _ends(server, limits)
        at = self._opens(limits, max(ends.at, now))
        if ends.at > now:
            return replace(ends, at=at)
        if at > now:
            return Verdict(False, Why.WINDOW, limits.said_by["only"], at=at)
        why = Why.AGE if ends.rule == limits.said_by["max_age"] else Why.IDLE
        return Verdict(True, why, ends.rule, ends.limit, ends.at)

    def _opens(self, limits: Limits, moment: float) -> float:
        """Tell when a server may be stopped that is to be stopped at a moment."""
        if not limits.only or moment > END_OF_CALENDARS:
            return moment
        local = datetime.fromtimestamp(moment, self._zone)
        found = min((opens(window, local) for window in limits.only), key=datetime.timestamp)
        # A date is rounded to microseconds: it may be later than the moment that it was made of.
        return moment if found == local else found.timestamp()

    def _unjudged(self, server: Server) -> Verdict | None:
        """Keep a server that does not run, or that a rule could be about which cannot be seen."""
        if server.pending:
            return Verdict(False, Why.PENDING, f"it is in the middle of: {server.pending}")
        if not server.ready:
            return _NOT_RUNNING
        if server.groups is None and self.settings.groups:
            return _UNKNOWN_GROUPS
        if server.profile is None:
            return _UNKNOWN_STATE
        return None

    def cull_user(self, user: str, groups: tuple[str, ...], *, admin: bool) -> float:
        """Tell after how many seconds somebody without a server is deleted; infinity for never."""
        settings = self.settings
        if admin and not settings.cull_admin_users:
            return math.inf
        own = settings.users.get(user, PersonRule())
        rules: list[PersonRule | CullerSettings] = [own]
        rules += [*(settings.groups[name] for name in groups_in(groups, settings)), settings]
        wanted = next(rule.cull_users for rule in rules if rule.cull_users is not None)
        timeout = next(rule.timeout for rule in rules if rule.timeout is not None)
        return timeout if wanted else math.inf


_NOT_RUNNING = Verdict(False, Why.NOT_RUNNING, "it is not running")
_UNKNOWN_GROUPS = Verdict(False, Why.UNKNOWN, "the groups of its user cannot be seen")
_UNKNOWN_STATE = Verdict(False, Why.UNKNOWN, "its state cannot be seen")


def _ends(server: Server, limits: Limits) -> Verdict:
    """Tell when a server is to be stopped, by which rule."""
    if limits.shortest == math.inf:
        return Verdict(False, Why.NEVER, limits.said_by["timeout"])
    began = math.inf if server.started is None else server.started
    # The clock of idleness begins with the start; what was before belongs to an earlier server.
    seen = [moment for moment in (server.started, server.last_activity) if moment is not None]
    idle, old = max(seen, default=math.inf) + limits.timeout, began + limits.max_age
    if min(idle, old) == math.inf:
        return Verdict(False, Why.UNKNOWN, "it has no times to go by")
    ceiling = 0.0 if server.started is None else server.started + limits.extend_to
    extended = min(server.extended_until, ceiling)
    if extended > min(idle, old):
        rule = limits.said_by["extend_to"]
        return Verdict(False, Why.EXTENDED, rule, limits.extend_to, extended)
    if old <= idle:
        return Verdict(False, Why.WITHIN_LIMITS, limits.said_by["max_age"], limits.max_age, old)
    return Verdict(False, Why.WITHIN_LIMITS, limits.said_by["timeout"], limits.timeout, idle)
