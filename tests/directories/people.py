"""Who is in the directories of the tests."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class DomainPerson:
    """An account of Active Directory."""

    name: str
    uid: int | None = None
    more: tuple[str, ...] = field(default=("userAccountControl: 512",))

    @property
    def password(self) -> str:
        return f"{self.name}-pw"

    @property
    def dn(self) -> str:
        return f"CN={self.name.title()} Test,OU=People,DC=ad,DC=example,DC=org"

    @property
    def upn(self) -> str:
        return f"{self.name}@ad.example.org"

    def ldif(self) -> str:
        secret = base64.b64encode(f'"{self.password}"'.encode("utf-16-le")).decode()
        lines = [
            f"dn: {self.dn}",
            "objectClass: user",
            f"sAMAccountName: {self.name}",
            f"userPrincipalName: {self.upn}",
            f"displayName: {self.name.title()} Test",
            f"mail: {self.name}@example.org",
            f"unicodePwd:: {secret}",
            *self.more,
        ]
        if self.uid is not None:
            lines += [
                f"uidNumber: {self.uid}",
                "gidNumber: 30000",
                f"unixHomeDirectory: /nfs/{self.name}",
                f"homeDirectory: \\\\files\\{self.name}",
                "loginShell: /bin/bash",
            ]
        return "\n".join((*lines, ""))


POSIX = tuple(PosixPerson(name, 20001 + number) for number, name in enumerate(PEOPLE))
"""alice (20001), bob, carol and dave (20004); the primary group of all is students (30000)."""


DOMAIN = (
    *(DomainPerson(person.name, person.uid) for person in POSIX),
    DomainPerson("erin"),  # has no POSIX attributes
    DomainPerson("disabled", more=("userAccountControl: 514",)),
    DomainPerson("expired", more=("userAccountControl: 512", "accountExpires: 1")),
    DomainPerson("mustchange", more=("userAccountControl: 512", "pwdLastSet: 0")),
    DomainPerson("hub"),
)
"""The same four, one whom the domain alone knows, three who may not log in, and the hub itself."""


def ldif(people: Iterable[PosixPerson | DomainPerson]) -> str:
    return "\n".join(person.ldif() for person in people)
