"""The people of the demo, and the file in which its hub finds their passwords and groups."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, field_serializer


class Account(BaseModel):
    """Somebody who can log in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    uid: int
    groups: tuple[str, ...] = ()
    admin: bool = False
    claims: dict[str, str] = {}
    password: SecretStr = Field(default_factory=lambda: SecretStr(secrets.token_hex(8)))

    @field_serializer("password", when_used="json")
    def _tell(self, password: SecretStr) -> str:
        """Write the password itself, for a file that only its owner can read."""
        return password.get_secret_value()


_FILE = TypeAdapter(tuple[Account, ...])


def demo_accounts() -> tuple[Account, ...]:
    """Return the people of the demo, with new passwords."""
    student, staff = {"affiliation": "student"}, {"affiliation": "staff"}
    return (
        Account(name="alice", uid=2001, groups=("datascience",), claims=student),
        Account(name="bob", uid=2002, groups=("datascience", "gpu"), claims=student),
        Account(name="carol", uid=2003, groups=("datascience",), claims=student),
        Account(name="eve", uid=2004, claims=student),
        Account(name="ada", uid=2005, groups=("gpu",), admin=True, claims=staff),
    )


def dump(accounts: Iterable[Account]) -> bytes:
    """Return the text of a file of people. It has their passwords in it."""
    return _FILE.dump_json(tuple(accounts), indent=2)


def load(path: Path) -> dict[str, Account]:
    """Read the people of a file, by name."""
    return {account.name: account for account in _FILE.validate_json(path.read_bytes())}
