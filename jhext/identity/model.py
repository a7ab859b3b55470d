"""A person on the file system, and the JSON in which that is kept in ``auth_state["jhext"]``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

SCHEMA_VERSION = 1
"""The version of the JSON that `Identity.to_json` writes."""

NFS_GROUPS = 16
"""How many groups besides the primary one AUTH_SYS carries to an NFS server (RFC 5531, 14)."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the file system.

    Parameters
    ----------
    name
        Its name, checked by `jhext.identity.names.group_name`.
    gid
        Its number.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a person is on the file system.

    Parameters
    ----------
    username
        The login name, which need not be the hub's name of the person.
    uid
        The number that owns the person's files.
    gid
        The number of the primary group.
    groups
        All groups that have a name, the primary one among them if it has one.
    home
        The home directory as the source has it. It is where storage takes the home from, not
        where it is mounted in the container.
    shell
        The path of the login shell.
    gecos
        The full name, in any script.
    email
        The mail address.
    claims
        What access rules may read. Not to be changed.
    subject
        The id of the person in the source of the uid, which stays when the name changes.
    sources
        Which source each field came from. Not to be changed.
    resolved_at
        When it was put together, with a time zone.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    username: str
    uid: int
    gid: int
    groups: tuple[Group, ...] = ()
    home: str | None = None
    shell: str | None = None
    gecos: str | None = None
    email: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict, hash=False)
    subject: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict, hash=False)
    resolved_at: datetime

    @property
    def supplemental_gids(self) -> tuple[int, ...]:
        """The numbers of all groups but the primary one, in ascending order."""
        return tuple(sorted({group.gid for group in self.groups} - {self.gid}))

    @property
    def groups_beyond_nfs(self) -> tuple[Group, ...]:
        """The groups that an NFS server does not see.

        The kernel keeps the supplementary groups sorted by number and its NFS client sends the
        first 16 of them, so those with the highest numbers are lost.
        """
        lost = set(self.supplemental_gids[NFS_GROUPS:])
        return tuple(group for group in self.groups if group.gid in lost)

    def to_json(self) -> dict[str, Any]:
        """Write it as plain JSON values, for ``auth_state["jhext"]``."""
        return {"version": SCHEMA_VERSION, **_adapter().dump_python(self, mode="json")}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Identity:
        """Read what `to_json` wrote.

        It checks the form only. What comes from outside goes through
        `jhext.identity.precedence.combine`, which knows which values are acceptable.

        Raises
        ------
        ValueError
            When it is another version, or not of this form.
        """
        fields = dict(data)
        if fields.pop("version", None) != SCHEMA_VERSION:
            raise ValueError(f"not an identity as jhext writes it in version {SCHEMA_VERSION}")
        try:
            return _adapter().validate_json(json.dumps(fields), strict=True)
        except (TypeError, ValidationError) as error:
            raise ValueError(f"not an identity as jhext writes it: {error}") from None


@cache
def _adapter() -> TypeAdapter[Identity]:
    return TypeAdapter(Identity)
