"""What all rules about one server come to.

Of the rules that are about a server, the most specific one that says something decides, for each
key by itself: the server's name (USER/NAME, or a NAME, which any user can choose), then its user,
then the user's groups in the order in which they are written, then the profile that was granted,
then the section itself. A profile without a rule now has the one it was granted with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .in_pod import InPod
from .settings import CullerSettings, Rule
from .verdict import Server
from .window import Window


@dataclass(frozen=True, slots=True)
class Limits:
    """What all rules about a server come to.

    Parameters
    ----------
    timeout, max_age, extend_to, warn_before, wastes_after
        Seconds; infinity for never.
    only
        When it may be stopped; empty for always.
    remove
        Whether it is removed if it is a named server.
    busy_if, wastes_if
        What Prometheus is asked; empty for nothing.
    in_pod
        What ends itself in the pod.
    said_by
        Which rule each of them is from, by key.
    """

    timeout: float
    max_age: float
    extend_to: float
    only: tuple[Window, ...]
    remove: bool
    warn_before: float
    busy_if: str
    wastes_if: str
    wastes_after: float
    in_pod: InPod
    said_by: Mapping[str, str]

    @property
    def shortest(self) -> float:
        """After how many seconds a server could be stopped at the earliest."""
        return min(self.timeout, self.max_age)


def groups_in(groups: tuple[str, ...], settings: CullerSettings) -> list[str]:
    """Give those of somebody's groups that have a rule, in the order in which rules are written."""
    return [name for name in settings.groups if name in groups]


def _rules_about(settings: CullerSettings, server: Server) -> Iterator[tuple[str, Rule]]:
    """Give the rules about a server with their places, the most specific first."""
    for name in (server.full_name, server.name):
        if rule := settings.servers.get(name):
            yield f"servers.{name}", rule
    if rule := settings.users.get(server.user):
        yield f"users.{server.user}", rule
    for name in groups_in(server.groups or (), settings):
        yield f"groups.{name}", settings.groups[name]
    if rule := settings.profiles.get(server.profile or ""):
        yield f"profiles.{server.profile}", rule
    elif server.granted:
        yield "granted", Rule(**server.granted)
    yield "culler", settings


def limits_of(settings: CullerSettings, server: Server) -> Limits:
    """Tell what the rules about a server come to."""
    values: dict[str, Any] = {
        "timeout": math.inf,
        "max_age": math.inf,
        "extend_to": 0.0,
        "only": (),
        "remove_named_servers": False,
        "warn_before": 0.0,
        "busy_if": "",
        "wastes_if": "",
        "wastes_after": math.inf,
        "in_pod": InPod(),
    }
    said_by: dict[str, str] = {}
    for place, rule in _rules_about(settings, server):
        for key in values.keys() - said_by.keys():
            if (value := getattr(rule, key)) is not None:
                values[key] = value
                said_by[key] = f"{place}.{key}"
    switch = "cull_named_servers" if server.name else "cull_default_servers"
    if not getattr(settings, switch):
        values |= {"timeout": math.inf, "max_age": math.inf, "wastes_if": ""}
        said_by |= {"timeout": f"culler.{switch}", "max_age": f"culler.{switch}"}
    remove = values.pop("remove_named_servers")
    return Limits(**values, remove=remove and bool(server.name), said_by=said_by)
