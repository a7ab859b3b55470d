"""People and groups of a real Active Directory: Samba as a domain controller."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jhext.identity.errors import IdentityRefused, IdentityUnavailable
from jhext.identity.ldap import messages
from jhext.identity.ldap.access import parse_server
from jhext.identity.ldap.errors import Cause, LoginRefused
from jhext.identity.ldap.layout import Nesting
from jhext.identity.source import Person
from tests.directories.people import DOMAIN as PEOPLE
from tests.directories.samba import BASE, Samba

from .asking import DOMAIN, directory, person, resolver

ALICE = PEOPLE[0]
DECODE = messages.decode
DIRECT = ["Domain Users", "gpu", "lab", "students"]
SLICE = 770_800_000  # of this domain, as SSSD's library says
NESTED = ["Domain Users", "campus", "circle", "faculty", *DIRECT[1:]]
THROUGH_PRIMARY = sorted(["Users", *NESTED])
"""Everybody's primary group is in the built-in one, which no token of the domain names."""


@pytest.mark.parametrize("login", ["alice", "ALICE", ALICE.upn, ALICE.upn.upper()])
async def test_one_account_has_one_name(samba: Samba, login: str) -> None:
    async with directory(samba) as asked:
        assert (await person(asked, login)).name == "alice"


@pytest.mark.parametrize(
    "login",
    ["*", ")(cn=*", "alicé", "Alice Test", "EXAMPLEAD\\alice", "alice@example.org", " alice"],
)
async def test_d51_others_are_nobody(samba: Samba, login: str) -> None:
    async with directory(samba) as asked:
        assert await asked.find(login) is None


@pytest.mark.parametrize(
    ("nesting", "groups"),
    [
        (Nesting.NONE, DIRECT),
        (Nesting.TOKEN_GROUPS, NESTED),
        (Nesting.IN_CHAIN, THROUGH_PRIMARY),
        (Nesting.WALK, THROUGH_PRIMARY),
    ],
)
async def test_groups_of_groups_end_in_a_circle(
    samba: Samba, nesting: Nesting, groups: list[str]
) -> None:
    async with directory(samba, replace(DOMAIN, nesting=nesting)) as asked:
        found = await asked.groups_of(await person(asked, "alice"))
    assert [group.name for group in found] == groups
    assert {group.name: group.gid for group in found}["lab"] == "30001"


async def test_lists_for_mail_give_no_rights(samba: Samba) -> None:
    async with directory(samba) as asked:
        found = await asked.groups_of(await person(asked, "dave"))
    assert [group.name for group in found] == ["Domain Users", "students"]


async def test_four_questions_a_login(samba: Samba) -> None:
    async with directory(samba) as asked:
        bob = await person(asked, "bob")
        await asked.authenticate(bob.dn, "bob-pw")
        before = asked.operations
        alice = await person(asked, "alice")
        await asked.authenticate(alice.dn, ALICE.password)
        await asked.groups_of(alice)
        assert asked.operations - before == 4


@pytest.mark.parametrize(
    ("login", "cause"),
    [
        ("disabled", Cause.DISABLED),
        ("expired", Cause.EXPIRED),
        ("mustchange", Cause.PASSWORD_CHANGE),
    ],
)
async def test_who_may_not_log_in_is_told_why(samba: Samba, login: str, cause: Cause) -> None:
    async with directory(samba) as asked:
        entry = await person(asked, login)
        with pytest.raises(LoginRefused) as refused:
            await asked.authenticate(entry.dn, f"{login}-pw")
        assert refused.value.cause is cause
        with pytest.raises(LoginRefused) as refused:
            await asked.authenticate(entry.dn, "wrong")
    assert refused.value.cause is Cause.CREDENTIALS


@pytest.mark.parametrize("name", [ALICE.dn, ALICE.upn, "EXAMPLEAD\\alice"])
async def test_names_that_bind(samba: Samba, name: str) -> None:
    async with directory(samba) as asked:
        await asked.authenticate(name, ALICE.password)
        with pytest.raises(LoginRefused):
            await asked.authenticate(name, "wrong")


@pytest.mark.parametrize("login", ["disabled", "expired"])
async def test_who_may_not_log_in_starts_nothing(samba: Samba, tmp_path: Path, login: str) -> None:
    async with resolver(samba, tmp_path) as asked:
        with pytest.raises(IdentityRefused, match=login):
            await asked.resolve(Person(login))


async def test_an_identity(samba: Samba, tmp_path: Path) -> None:
    async with resolver(samba, tmp_path) as asked:
        alice = await asked.resolve(Person("alice"))
        with pytest.raises(IdentityRefused, match="uid"):
            await asked.resolve(Person("erin"))
    assert (alice.username, alice.uid, alice.gid) == ("alice", 20001, 30000)
    assert (alice.home, alice.shell, alice.gecos) == ("/nfs/alice", "/bin/bash", "Alice Test")
    assert {group.name: group.gid for group in alice.groups} == {
        **{"students": 30000, "lab": 30001, "gpu": 30002, "campus": 30003}
    }


async def test_ids_of_who_has_none(samba: Samba, tmp_path: Path) -> None:
    more: dict[str, Any] = {"ids": "sid"}
    async with resolver(samba, tmp_path, **more) as asked:
        erin = await asked.resolve(Person("erin"))
    async with directory(samba) as searched:
        sid = (await person(searched, "erin")).raw("objectSid")[0]
    rid = int.from_bytes(sid[-4:], "little")
    assert erin.uid == SLICE + rid
    assert erin.gid == SLICE + 513
    assert [(group.name, group.gid) for group in erin.groups] == [("Domain Users", SLICE + 513)]


async def test_the_root_of_a_domain_refers_to_other_servers(
    samba: Samba, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows that refer to other servers are no people, and nobody goes there."""
    kinds = []

    def decode(data: bytes) -> messages.Message:
        kinds.append((message := DECODE(data)).kind)
        return message

    monkeypatch.setattr(messages, "decode", decode)
    async with directory(samba) as asked:
        question = messages.Search(base=BASE, filter="(sAMAccountName=alice)")
        assert [entry.dn for entry in await asked.search(question)] == [ALICE.dn]
        assert (await person(asked, "alice")).dn == ALICE.dn
    assert messages.Kind.REFERENCE in kinds


async def test_without_encryption_it_answers_nobody(samba: Samba) -> None:
    plain = parse_server(samba.url, allow_plaintext=True)
    async with directory(samba, servers=(plain,)) as asked:
        with pytest.raises(IdentityUnavailable, match="result 8"):
            await asked.find("alice")
