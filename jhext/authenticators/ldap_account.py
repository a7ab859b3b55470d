"""What a directory says of somebody who logs in, as JupyterHub and jhext keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jhext.identity.auth_state import KEY
from jhext.identity.ldap.entry import DirectoryGroup, Entry

_NUMBERS = frozenset(
    {"uidnumber", "gidnumber", "useraccountcontrol", "primarygroupid", "shadowexpire"}
)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who has logged in.

    Parameters
    ----------
    entry
        Their entry.
    groups
        All their groups, as far as they were asked for.
    allowed_groups
        Those of the configured ``allowed_groups`` that they are in, as configured.
    identity
        What is kept as ``auth_state["jhext"]``, unchecked: whoever reads it checks it.
    """

    entry: Entry
    groups: tuple[DirectoryGroup, ...] = ()
    allowed_groups: tuple[str, ...] = ()
    identity: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group_names(self) -> list[str]:
        """The names of the groups, each once."""
        return sorted({group.name for group in self.groups})


def user_attributes(entry: Entry, names: Iterable[str]) -> dict[str, list[Any]]:
    """Give attributes as ldapauthenticator keeps them, of JSON's types only.

    Whole numbers are numbers where POSIX says so; what is no text is in base64.

    Parameters
    ----------
    names
        Which ones, in the spelling that is wanted as key.
    """
    known = entry.to_json()
    return {
        name: [
            int(value) if name.lower() in _NUMBERS and value.isdecimal() else value
            for value in known.get(name.lower(), [])
        ]
        for name in names
    }


def kept_identity(auth_state: Any) -> Mapping[str, Any]:
    """Give the identity that was kept in ``auth_state``, or nothing."""
    kept = auth_state.get(KEY) if isinstance(auth_state, Mapping) else None
    return kept if isinstance(kept, Mapping) else {}


def is_another(identity: Mapping[str, Any], auth_state: Any) -> bool:
    """Tell whether ``auth_state`` was kept of somebody else than the one with this identity."""
    subject, known = identity.get("subject"), kept_identity(auth_state).get("subject")
    return known is not None and subject is not None and known != subject
