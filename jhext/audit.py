"""One structured event for every decision about a start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .profiles.selection import Selection
from .refusal import Refusal
from .storage.projects import Acting

SCHEMA_ID = "https://schema.jupyter.org/jhext/events/spawn-decision"

SCHEMA: dict[str, Any] = {
    "$id": SCHEMA_ID,
    "version": "1",
    "title": "A decision about the start of a server",
    "personal-data": True,
    "type": "object",
    "required": ["user", "server", "profile", "decision", "rule", "reason", "groups_source"],
    "properties": {
        "user": {"type": "string", "description": "The owner of the server."},
        "server": {"type": "string", "description": "The server's name, empty for the default."},
        "asked": {"type": "string", "description": "The profile asked for, shortened."},
        "profile": {"type": "string", "description": "The profile granted, empty if none."},
        "decision": {"enum": ["allowed", "refused"]},
        "rule": {"type": "string", "description": "The rules that decided, choices' too."},
        "reason": {"type": "string", "description": "The label that metrics count by."},
        "detail": {"type": "string", "description": "A sentence for operators."},
        "groups_source": {
            "enum": ["authenticator", "hub"],
            "description": "Whether the authenticator manages the groups or the hub does.",
        },
        "acts_as": {"type": "string", "description": "The uid and gid of a project, UID:GID."},
        "acts_as_by": {"type": "string", "description": "The profile or the mounts that say so."},
        "policy": {"type": "string", "description": "The version of the profiles and rules."},
    },
}

_MAX_ASKED = 80


def decision_event(
    *,
    user: str,
    server: str,
    user_options: Any,
    outcome: Selection | Refusal | None,
    acting: Acting,
    groups_managed: bool,
    policy: str,
) -> dict[str, str]:
    """Describe a decision. Of the options only the profile asked for is told, shortened.

    Without profiles the outcome is None, and the configuration as it is starts.
    """
    event = {
        "user": user,
        "server": server,
        "asked": _asked(user_options),
        "rule": outcome.rule if outcome else "",
        "groups_source": "authenticator" if groups_managed else "hub",
        "policy": policy,
    }
    if isinstance(outcome, Refusal):
        decision = {"decision": "refused", "profile": "", "reason": str(outcome.reason)}
        return event | decision | {"detail": outcome.detail}
    slug = outcome.profile.slug if outcome else ""
    event |= {"decision": "allowed", "profile": slug, "reason": ""}
    if (project := acting.project) is not None:
        event |= {"acts_as": f"{project.uid}:{project.gid}", "acts_as_by": acting.asked_by}
    return event


def _asked(user_options: Any) -> str:
    asked = user_options.get("profile") if isinstance(user_options, Mapping) else None
    text = asked if isinstance(asked, str) else f"<{type(asked).__name__}>" if asked else ""
    return text if len(text) <= _MAX_ASKED else text[: _MAX_ASKED - 1] + "…"


def emit(eventlog: Any, event: dict[str, str]) -> None:
    """Send an event through JupyterHub's event log; where it goes is the hub's configuration."""
    if SCHEMA_ID not in eventlog.schemas:
        eventlog.register_event_schema(SCHEMA)
    eventlog.emit(schema_id=SCHEMA_ID, data=event)
