"""People and groups of a real OpenLDAP."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from jhext.identity.errors import IdentityRefused, IdentityUnavailable
from jhext.identity.ldap.directory import Directory
from jhext.identity.ldap.entry import Entry
from jhext.identity.ldap.errors import Cause, LoginRefused
from jhext.identity.ldap.layout import Nesting
from jhext.identity.ldap.messages import Search
from jhext.identity.source import Person
from tests.directories.fixtures import running_slapd
from tests.directories.people import POSIX
from tests.directories.slapd import BASE, Slapd

from .asking import OPENLDAP, directory, person, resolver

ALICE, BOB, *_ = POSIX
DIRECT = ["gpu", "lab", "students"]
NESTED = ["campus", "circle", "faculty", *DIRECT]


@pytest.fixture(scope="module")
def changing(directory_authority: trustme.CA) -> Iterator[Slapd]:
    """Run one in which tests change things, and change them back or not."""
    with running_slapd("rfc2307bis", directory_authority) as server:
        yield server


async def names(asked: Directory, entry: Entry) -> list[str]:
    return [group.name for group in await asked.groups_of(entry)]


async def test_groups_by_the_names_of_members(rfc2307: Slapd) -> None:
    async with directory(rfc2307) as asked:
        alice = await person(asked, "alice")
        assert await names(asked, alice) == DIRECT
        assert {g.name: g.gid for g in await asked.groups_of(alice)}["students"] == "30000"


@pytest.mark.parametrize("nesting", Nesting)
async def test_groups_of_groups_end_in_a_circle(rfc2307bis: Slapd, nesting: Nesting) -> None:
    """What only Active Directory answers is walked elsewhere, and never left out unsaid."""
    async with directory(rfc2307bis, replace(OPENLDAP, nesting=nesting)) as asked:
        found = await names(asked, await person(asked, "alice"))
    assert found == (DIRECT if nesting is Nesting.NONE else NESTED)


@pytest.mark.parametrize("nesting", [Nesting.NONE, Nesting.WALK])
async def test_groups_that_people_and_groups_say_themselves(
    rfc2307bis: Slapd, nesting: Nesting
) -> None:
    layout = replace(OPENLDAP, attributes=(), member_attributes=("memberOf",), nesting=nesting)
    async with directory(rfc2307bis, layout) as asked:
        found = await names(asked, await person(asked, "alice"))
    assert found == (DIRECT if nesting is Nesting.NONE else NESTED)


async def test_operational_attributes_are_there_by_name(rfc2307bis: Slapd) -> None:
    async with directory(rfc2307bis) as asked:
        alice = await person(asked, "alice")
    assert sorted(alice.texts("memberOf")) == [f"cn={n},ou=groups,{BASE}" for n in ("gpu", "lab")]


async def test_few_questions_a_login(rfc2307: Slapd) -> None:
    async with directory(rfc2307, replace(OPENLDAP, nesting=Nesting.NONE)) as asked:
        await asked.find("bob")
        await asked.authenticate(BOB.dn, BOB.password)
        before = asked.operations
        alice = await person(asked, "alice")
        await asked.authenticate(alice.dn, ALICE.password)
        await asked.groups_of(alice)
        assert asked.operations - before == 3


async def test_answers_come_in_pages(rfc2307bis: Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jhext.identity.ldap.nested.PAGE_SIZE", 1)
    async with directory(rfc2307bis) as asked:
        assert await names(asked, await person(asked, "alice")) == NESTED


async def test_the_limit_of_a_server_is_no_short_list(rfc2307: Slapd) -> None:
    async with directory(
        rfc2307,
        bind_dn=f"cn=limited,ou=services,{BASE}",
        bind_password=lambda: "limited-pw",
    ) as asked:
        carol = await person(asked, "carol")
        assert await names(asked, carol) == ["lab", "students"]
        with pytest.raises(IdentityUnavailable, match="result 4"):
            await asked.groups_of(await person(asked, "alice"))
        with pytest.raises(IdentityUnavailable, match="result 4"):
            await asked.search(Search(base=BASE, attributes=["cn"]))
        assert len(await asked.search(Search(base=BASE, size_limit=2))) == 2


@pytest.mark.parametrize("login", ["alice", "ALICE", "Alice"])
async def test_one_entry_has_one_name(rfc2307: Slapd, login: str) -> None:
    async with directory(rfc2307) as asked:
        assert (await person(asked, login)).name == "alice"


HOSTILE = [
    *("*", "a*", ")(uid=*", "alice)(uid=*", "*)(|(uid=*", "(uid=alice)", "\\61lice", "alice\\00"),
    *(
        "",
        " ",
        " alice",
        "alice ",
        "al  ice",
        "\0",
        "alice\0",
        "\ud800",
        "a" * 10_000,
        "é" * 10_000,
    ),
    *("alicé", "ａｌｉｃｅ", "аlice", "ali\u00adce", "alice\u200b", "ﬁ", "İ"),  # noqa: RUF001
    *("uid=alice", ALICE.dn, "alice@example.org", "EXAMPLE\\alice", "alice,bob", "{login}", "%s"),
]


@pytest.mark.parametrize("login", HOSTILE)
async def test_d51_hostile_names_are_nobody(rfc2307: Slapd, login: str) -> None:
    async with directory(rfc2307) as asked:
        assert await asked.find(login) is None
        assert (await person(asked, "bob")).dn == BOB.dn


@pytest.mark.parametrize("password", ["", " ", "\t\n", "\0", "alice-pw\0", "x" * 1025, "\ud800"])
async def test_some_passwords_are_never_sent(rfc2307: Slapd, password: str) -> None:
    async with directory(rfc2307) as asked:
        with pytest.raises(LoginRefused) as refused:
            await asked.authenticate(ALICE.dn, password)
        assert asked.operations == 0
    assert refused.value.cause is Cause.CREDENTIALS


@pytest.mark.parametrize("name", [ALICE.dn, f"uid=nobody,{BASE}", "no DN"])
async def test_wrong_passwords(rfc2307: Slapd, name: str) -> None:
    async with directory(rfc2307) as asked:
        for _ in range(2):
            with pytest.raises((LoginRefused, IdentityUnavailable)) as refused:
                await asked.authenticate(name, BOB.password)
        await asked.authenticate(BOB.dn, BOB.password)
    assert BOB.password not in str(refused.value)


async def test_passwords_are_taken_as_they_are(changing: Slapd) -> None:
    """SASLprep, which ldap3 would apply, changes the first and refuses the second."""
    passwords = ["\N{LATIN SMALL LIGATURE FI}x", "\N{MELTING FACE}"]
    async with directory(changing) as asked:
        for password in passwords:
            change = f"replace: userPassword\nuserPassword: {password}\n"
            changing.modify(f"dn: {BOB.dn}\nchangetype: modify\n{change}")
            await asked.authenticate(BOB.dn, password)


async def test_several_names_without_one_in_the_dn(changing: Slapd) -> None:
    changing.add(
        f"dn: cn=Erin,ou=people,{BASE}\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\n"
        "cn: Erin\nsn: E\nuid: erin\nuid: erin2\nuidNumber: 1\ngidNumber: 1\nhomeDirectory: /\n"
    )
    changing.modify(f"dn: {POSIX[3].dn}\nchangetype: modify\nadd: uid\nuid: dave2\n")
    async with directory(changing) as asked:
        with pytest.raises(IdentityRefused, match="several"):
            await asked.find("erin2")
        assert (await person(asked, "dave2")).name == "dave"


async def test_a_name_of_two_entries_is_nobodys(changing: Slapd) -> None:
    changing.add(f"dn: ou=other,ou=people,{BASE}\nobjectClass: organizationalUnit\nou: other\n")
    changing.add(replace(POSIX[2]).ldif().replace(",ou=people", ",ou=other,ou=people", 1))
    async with directory(changing) as asked:
        with pytest.raises(IdentityRefused, match="several"):
            await asked.find("carol")


async def test_who_has_left_a_group_is_not_in_it(changing: Slapd) -> None:
    async with directory(changing) as asked:
        alice = await person(asked, "alice")
        assert "gpu" in await names(asked, alice)
        group = f"dn: cn=gpu,ou=groups,{BASE}\nchangetype: modify\n"
        changing.modify(f"{group}delete: member\nmember: {ALICE.dn}\n")
        assert "gpu" not in await names(asked, alice)


async def test_an_identity(rfc2307: Slapd, tmp_path: Path) -> None:
    async with resolver(rfc2307, tmp_path, claims=["sn", "mail", "none"]) as asked:
        alice = await asked.resolve(Person("alice"))
        with pytest.raises(IdentityRefused, match="no source knows"):
            await asked.resolve(Person("nobody-at-all"))
    assert (alice.username, alice.uid, alice.gid) == ("alice", 20001, 30000)
    assert {group.name: group.gid for group in alice.groups} == {
        **{"students": 30000, "lab": 30001, "gpu": 30002}
    }
    assert (alice.home, alice.shell, alice.gecos) == ("/nfs/alice", "/bin/bash", "Alice Test")
    assert alice.email == "alice@example.org"
    assert alice.claims == {"sn": ["Test"], "mail": ["alice@example.org"]}
    assert alice.subject is not None
    assert len(alice.subject) == 36


async def test_fields_from_other_attributes(rfc2307: Slapd, tmp_path: Path) -> None:
    async with resolver(rfc2307, tmp_path, fields={"gecos": "mail"}) as asked:
        assert (await asked.resolve(Person("alice"))).gecos == "alice@example.org"


async def test_anonymous_where_nobody_may_read(rfc2307: Slapd) -> None:
    async with directory(rfc2307, bind_dn=None, bind_password=None) as asked:
        with pytest.raises(IdentityUnavailable, match="result 32"):
            await asked.find("alice")


async def test_the_hubs_own_account_is_refused(rfc2307: Slapd) -> None:
    async with directory(rfc2307, bind_password=lambda: "old") as asked:
        with pytest.raises(IdentityUnavailable, match=r"own login as cn=hub.*result 49"):
            await asked.find("alice")
        assert asked.operations == 1
