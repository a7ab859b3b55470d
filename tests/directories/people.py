"""Who is in the directories of the tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PEOPLE = ("alice", "bob", "carol", "dave")


@dataclass(frozen=True)
class PosixPerson:
    """An account of OpenLDAP."""

    name: str
    uid: int
    gid: int = 30000

    @property
    def password(self) -> str:
        return f"{self.name}-pw"

    @property
    def dn(self) -> str:
        return f"uid={self.name},ou=people,dc=example,dc=org"

    def ldif(self) -> str:
        return "\n".join(
            (
                f"dn: {self.dn}",
                "objectClass: inetOrgPerson",
                "objectClass: posixAccount",
                f"uid: {self.name}",
                f"cn: {self.name.title()} Test",
                "sn: Test",
                f"mail: {self.name}@example.org",
                f"uidNumber: {self.uid}",
                f"gidNumber: {self.gid}",
                f"homeDirectory: /nfs/{self.name}",
                "loginShell: /bin/bash",
                f"userPassword: {self.password}",
                "",
            )
        )


POSIX = tuple(PosixPerson(name, 20001 + number) for number, name in enumerate(PEOPLE))
"""alice (20001), bob, carol and dave (20004); the primary group of all is students (30000)."""


def ldif(people: Iterable[PosixPerson]) -> str:
    return "\n".join(person.ldif() for person in people)
