"""What is to happen to a server, decided from rules and times alone.

Of the rules that are about a server, the most specific one that says something decides, for each
key by itself: the server's name, then its user, then the user's groups in the order in which they
are written, then the profile that was granted, then the section itself. A profile without a rule
now has the one it was granted with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from jhext.units import format_duration

from .settings import CullerSettings, PersonRule, Rule
from .window import Window


class Why(StrEnum):
    """Why a server is stopped or stays. The labels are fixed: metrics count by them."""

    IDLE = "idle"
    AGE = "age"
    REVOKED = "revoked"
    WITHIN_LIMITS = "within_limits"
    NEVER = "never"
    EXTENDED = "extended"
    WINDOW = "window"
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

    @property
    def full_name(self) -> str:
        """The user and the name, as JupyterHub writes them."""
        return f"{self.user}/{self.name}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What all rules about a server come to.

    Parameters
    ----------
    timeout, max_age, extend_to
        Seconds; infinity for never.
    only
        When it may be stopped; empty for always.
    remove
        Whether it is removed if it is a named server.
    said_by
        Which rule each of them is from, by key.
    """

    timeout: float
    max_age: float
    extend_to: float
    only: tuple[Window, ...]
    remove: bool
    said_by: Mapping[str, str]

    @property
    def shortest(self) -> float:
        """After how many seconds a server could be stopped at the earliest."""
        return min(self.timeout, self.max_age)


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


def told(seconds: float) -> str:
    """Write seconds for people."""
    return "never" if seconds == math.inf else format_duration(timedelta(seconds=round(seconds)))


class Rules:
    """The rules of a section, ready to be asked about many servers."""

    def __init__(self, settings: CullerSettings) -> None:
        self.settings = settings
        self._zone = ZoneInfo(settings.time_zone)
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
            found = self._limits[key] = _limits(settings, server)
        return found

    @property
    def shortest_timeout(self) -> float:
        """The shortest ``timeout`` of any rule."""
        return min(rule.timeout for rule in self._written if rule.timeout is not None)

    @property
    def shortest_age(self) -> float:
        """The shortest ``max_age`` of any rule."""
        return min(rule.max_age for rule in self._written if rule.max_age is not None)

    @property
    def _written(self) -> list[Rule]:
        settings = self.settings
        levels = (settings.profiles, settings.groups, settings.users, settings.servers)
        return [settings, *(rule for level in levels for rule in level.values())]

    def judge(self, server: Server, now: float) -> Verdict:
        """Decide about a server.

        Parameters
        ----------
        server
            The server.
        now
            The time on the clock that its times are from.
        """
        if server.pending:
            return Verdict(False, Why.PENDING, f"it is in the middle of: {server.pending}")
        if not server.ready:
            return _NOT_RUNNING
        if (unseen := self._unseen(server)) is not None:
            return unseen
        limits = self.limits(server)
        ends = _ends(server, limits)
        if ends.at > now:
            return ends
        if limits.only:
            moment = datetime.fromtimestamp(now, self._zone)
            if not any(window.holds(moment) for window in limits.only):
                return Verdict(False, Why.WINDOW, limits.said_by["only"], ends.limit, ends.at)
        why = Why.AGE if ends.rule == limits.said_by["max_age"] else Why.IDLE
        return Verdict(True, why, ends.rule, ends.limit, ends.at)

    def _unseen(self, server: Server) -> Verdict | None:
        """Keep a server about which a rule could say something that cannot be seen."""
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
        rules += [*(settings.groups[name] for name in _in(groups, settings)), settings]
        wanted = next(rule.cull_users for rule in rules if rule.cull_users is not None)
        timeout = next(rule.timeout for rule in rules if rule.timeout is not None)
        return timeout if wanted else math.inf


_NOT_RUNNING = Verdict(False, Why.NOT_RUNNING, "it is not running")
_UNKNOWN_GROUPS = Verdict(False, Why.UNKNOWN, "the groups of its user cannot be seen")
_UNKNOWN_STATE = Verdict(False, Why.UNKNOWN, "its state cannot be seen")


def _in(groups: tuple[str, ...], settings: CullerSettings) -> list[str]:
    return [name for name in settings.groups if name in groups]


def _rules_about(settings: CullerSettings, server: Server) -> Iterator[tuple[str, Rule]]:
    """Give the rules about a server with their places, the most specific first."""
    for name in (server.full_name, server.name):
        if rule := settings.servers.get(name):
            yield f"servers.{name}", rule
    if rule := settings.users.get(server.user):
        yield f"users.{server.user}", rule
    for name in _in(server.groups or (), settings):
        yield f"groups.{name}", settings.groups[name]
    if rule := settings.profiles.get(server.profile or ""):
        yield f"profiles.{server.profile}", rule
    elif server.granted:
        yield "granted", Rule(**server.granted)
    yield "culler", settings


def _limits(settings: CullerSettings, server: Server) -> Limits:
    values: dict[str, Any] = {
        "timeout": math.inf,
        "max_age": math.inf,
        "extend_to": 0.0,
        "only": (),
        "remove_named_servers": False,
    }
    said_by: dict[str, str] = {}
    for place, rule in _rules_about(settings, server):
        for key in values.keys() - said_by.keys():
            if (value := getattr(rule, key)) is not None:
                values[key] = value
                said_by[key] = f"{place}.{key}"
    switch = "cull_named_servers" if server.name else "cull_default_servers"
    if not getattr(settings, switch):
        values |= {"timeout": math.inf, "max_age": math.inf}
        said_by |= {"timeout": f"culler.{switch}", "max_age": f"culler.{switch}"}
    remove = values.pop("remove_named_servers")
    return Limits(**values, remove=remove and bool(server.name), said_by=said_by)


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
