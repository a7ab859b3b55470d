"""What the hub says about people, read as servers."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .granted import KEYS
from .settings import Rule
from .verdict import Server, printable

_UNSEEN: Mapping[str, Any] = {}


def servers_of(user: Mapping[str, Any]) -> Iterator[Server]:
    """Give the servers of somebody, from the model of JupyterHub's REST API.

    Raises
    ------
    ValueError
        The model has another form, as far as it goes; those that can be read were given before.
    """
    faults = []
    groups = tuple(user["groups"]) if "groups" in user else None
    for name, server in user.get("servers", {}).items():
        try:
            yield _server(user["name"], groups, name, server)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            server_name = printable(f"{user['name']}/{name}")
            faults.append(f"{server_name}: {type(error).__name__}: {error}")
    if faults:
        raise ValueError("; ".join(faults))


@dataclass(frozen=True, slots=True)
class InUse:
    """Tells from the text of times alone that nothing can be due, which is ten times cheaper.

    Parameters
    ----------
    used_after, started_after
        Times as JupyterHub writes them. What was used and started later is within every limit.
    profiles
        The profiles that have a rule, so that limits that were granted with them do not hold.
    """

    used_after: str
    started_after: str
    profiles: Container[str]

    @classmethod
    def at(cls, now: float, timeout: float, max_age: float, profiles: Container[str] = ()) -> InUse:
        """Make one for the shortest limits of all rules.

        Parameters
        ----------
        now
            Seconds since 1970.
        timeout, max_age
            Seconds, or infinity.
        profiles
            The profiles that have a rule.
        """
        return cls(_written(now - timeout), _written(now - max_age), profiles)

    def is_all_of(self, servers: Mapping[str, Any]) -> bool:
        """Tell whether none of somebody's servers can be due; False when in doubt."""
        try:
            return all(
                server["ready"]
                and server["pending"] is None
                and (server["last_activity"] or "") > self.used_after
                and (server["started"] or "") > self.started_after
                and self._goes_by_rules((server.get("state") or _UNSEEN).get("jhext", _UNSEEN))
                for server in servers.values()
            )
        except (KeyError, TypeError, AttributeError):
            return False

    def _goes_by_rules(self, own: Mapping[str, Any]) -> bool:
        return "cull" not in own or own["profile"] in self.profiles


def _written(moment: float) -> str:
    # Later by what fractions of a second, which are not always written, make of the order.
    moment += 2
    if moment < 0:
        return "0001"
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _server(
    user: str, groups: tuple[str, ...] | None, name: str, server: Mapping[str, Any]
) -> Server:
    state = server.get("state", _UNSEEN)
    # A server that jhext did not start has a state without our part.
    own = state.get("jhext") or {} if state else {}
    cull = own.get("cull") or {}
    granted = {key: cull[key] for key in KEYS if key in cull} if cull else cull
    if granted:
        Rule(**granted)  # whoever cannot be judged must not keep the next server from it
    return Server(
        user,
        name,
        groups,
        None if state is _UNSEEN else own.get("profile", ""),
        granted,
        bool(server["ready"]),
        server["pending"] or "",
        moment(server["started"]),
        moment(server["last_activity"]),
        float(own.get("extended_until", 0.0)),
        str((state or _UNSEEN).get("pod_name", "")),
        str((state or _UNSEEN).get("namespace", "")),
    )


def moment(text: str | None) -> float | None:
    """Read a time as JupyterHub writes it, in seconds since 1970."""
    if not text:
        return None
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
