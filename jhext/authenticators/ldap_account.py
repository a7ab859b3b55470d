"""What a directory says of somebody who logs in, as JupyterHub and jhext keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jhext.identity.auth_state import KEY
from jhext.identity.ldap.entry import DirectoryGroup, Entry
from jhext.identity.model import SCHEMA_VERSION

IDENTITY_ATTRIBUTES = (
    *("uidNumber", "gidNumber", "homeDirectory", "unixHomeDirectory", "loginShell"),
    *("gecos", "displayName", "cn", "mail", "objectSid", "primaryGroupID"),
)
"""What has to be asked for, for `identity_of`."""

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
    subject
        The id that the entry keeps when it is renamed or moved, if that is known.
    """

    entry: Entry
    groups: tuple[DirectoryGroup, ...] = ()
    allowed_groups: tuple[str, ...] = ()
    subject: str | None = None

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


def identity_of(account: Account) -> dict[str, Any]:
    """Give ``auth_state["jhext"]``, unchecked: whoever reads it checks it."""
    entry = account.entry
    groups = [{"name": group.name, "gid": group.gid} for group in account.groups if group.gid]
    fields = {
        "username": entry.name,
        "uid": entry.text("uidNumber"),
        "gid": entry.text("gidNumber"),
        "groups": groups or None,
        # homeDirectory of Active Directory is a path of Windows.
        "home": _first(entry, "unixHomeDirectory") or _posix_home(entry),
        "shell": _first(entry, "loginShell"),
        "gecos": _first(entry, "gecos") or _first(entry, "displayName") or _first(entry, "cn"),
        "email": _first(entry, "mail"),
        "subject": account.subject,
    }
    known = {field: value for field, value in fields.items() if value is not None}
    return {"version": SCHEMA_VERSION, **known}


def subject_of(entry: Entry, attribute: str) -> str | None:
    """Give the value of an attribute that stays, as text."""
    if attribute.lower() == "objectguid":
        return entry.raw(attribute)[0].hex() if entry.raw(attribute) else None
    return _first(entry, attribute)


def is_another(subject: str | None, auth_state: Any) -> bool:
    """Tell whether ``auth_state`` was kept of somebody else than the one with this subject."""
    kept = auth_state.get(KEY) if isinstance(auth_state, Mapping) else None
    known = kept.get("subject") if isinstance(kept, Mapping) else None
    return known is not None and subject is not None and known != subject


def _posix_home(entry: Entry) -> str | None:
    home = _first(entry, "homeDirectory")
    return home if home and home.startswith("/") else None


def _first(entry: Entry, attribute: str) -> str | None:
    values = entry.texts(attribute)
    return values[0] if values else None
