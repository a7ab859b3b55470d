"""What the hub says about people, read as servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from .granted import KEYS
from .policy import Server


def servers_of(user: Mapping[str, Any]) -> Iterator[Server]:
    """Give the servers of somebody, from the model of JupyterHub's REST API.

    Raises
    ------
    ValueError
        The model has another form.
    """
    try:
        groups = tuple(user["groups"]) if "groups" in user else None
        for name, server in user.get("servers", {}).items():
            yield _server(user["name"], groups, name, server)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _server(
    user: str, groups: tuple[str, ...] | None, name: str, server: Mapping[str, Any]
) -> Server:
    state = server.get("state", _UNSEEN)
    # A server that jhext did not start has a state without our part.
    own = state.get("jhext") or {} if state else {}
    granted = own.get("cull") or {}
    return Server(
        user,
        name,
        groups,
        None if state is _UNSEEN else own.get("profile", ""),
        {key: granted[key] for key in KEYS if key in granted} if granted else granted,
        bool(server["ready"]),
        server["pending"] or "",
        moment(server["started"]),
        moment(server["last_activity"]),
        float(own.get("extended_until", 0.0)),
    )


_UNSEEN: Mapping[str, Any] = {}


def moment(text: str | None) -> float | None:
    """Read a time as JupyterHub writes it, in seconds since 1970."""
    if not text:
        return None
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
