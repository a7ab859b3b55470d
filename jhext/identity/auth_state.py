"""Identities from what the authenticator knows: ``auth_state["jhext"]``, or any part of it."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import IdentityRefused, Reason
from .ids import shown
from .model import SCHEMA_VERSION
from .pointers import Pointers
from .source import Answer, Person, Source

KEY = "jhext"
"""The key of ``auth_state`` under which jhext's own schema is kept."""

_OWN_FIELDS = frozenset({"version", "sources", "resolved_at"})
"""What `jhext.identity.model.Identity.to_json` writes besides the fields of a person."""


class AuthStateSource(Source):
    """Reads what the authenticator left at login or at the last refresh.

    Parameters
    ----------
    name
        The name of the source.
    pointers
        Where the fields are in ``auth_state``. Without them, they are in ``auth_state["jhext"]``.
    """

    reads_auth_state = True

    def __init__(self, name: str, pointers: Pointers | None = None) -> None:
        super().__init__(name)
        self._pointers = pointers

    async def lookup(self, person: Person) -> Answer | None:
        """Read the state of a person; see `Source.lookup`."""
        state = person.auth_state
        if state is None:
            return None
        if not isinstance(state, Mapping):
            raise self._malformed(person, "auth_state is no mapping")
        if self._pointers is not None:
            answer = self._pointers.pick(state)
            return answer if any(value is not None for value in answer.values()) else None
        own = state.get(KEY)
        if own is None:
            return None
        if not isinstance(own, Mapping):
            raise self._malformed(person, f"auth_state[{KEY!r}] is no mapping")
        if own.get("version", SCHEMA_VERSION) != SCHEMA_VERSION:
            raise self._malformed(person, f"version {shown(own['version'])} is not known")
        return {field: value for field, value in own.items() if field not in _OWN_FIELDS}

    def _malformed(self, person: Person, what: str) -> IdentityRefused:
        return IdentityRefused(Reason.INVALID, f"{self.name}: {shown(person.name)}: {what}")
