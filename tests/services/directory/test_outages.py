"""Servers that are down, hang, or have closed their connections."""

import asyncio
from collections.abc import Iterator

import pytest
import trustme

from jhext.demo.processes import free_port
from jhext.identity.errors import IdentityUnavailable
from jhext.identity.ldap.access import Access, Server, Tls
from jhext.identity.ldap.directory import Directory
from jhext.identity.ldap.layout import Layout
from jhext.identity.ldap.messages import Search
from tests.directories.fixtures import running_slapd
from tests.directories.people import POSIX
from tests.directories.slapd import Slapd
from tests.ldap_wire import Mood, WireServer

from .asking import access_of, directory, person

ALICE = POSIX[0]


@pytest.fixture
def own(directory_authority: trustme.CA) -> Iterator[Slapd]:
    """Run a server that the test may stop."""
    with running_slapd("rfc2307", directory_authority) as server:
        yield server


def here(port: int) -> Server:
    return Server("127.0.0.1", port, Tls.NONE)


@pytest.mark.parametrize("mood", [Mood.SILENT, Mood.GARBAGE])
async def test_d31_the_next_server_is_asked(rfc2307: Slapd, mood: Mood) -> None:
    async with WireServer(mood=mood) as broken:
        servers = (here(free_port()), here(broken.port), *access_of(rfc2307).servers)
        async with directory(rfc2307, servers=servers, timeout=1) as asked:
            entry = await person(asked, "alice")
            await asked.authenticate(entry.dn, ALICE.password)
            assert [g.name for g in await asked.groups_of(entry)] == ["gpu", "lab", "students"]


async def test_a_server_that_failed_is_asked_last(rfc2307: Slapd) -> None:
    """For a while also when it answers again: here it would say that nobody has that password."""
    async with WireServer(mood=Mood.GARBAGE) as broken:
        servers = (here(broken.port), *access_of(rfc2307).servers)
        async with directory(rfc2307, servers=servers) as asked:
            entry = await person(asked, "alice")
            broken.mood = Mood.ANSWERS
            await asked.authenticate(entry.dn, ALICE.password)
            assert not broken.asked


async def test_d31_all_servers_fail(rfc2307: Slapd) -> None:
    async with WireServer(mood=Mood.SILENT) as silent, WireServer(mood=Mood.GARBAGE) as garbled:
        servers = (here(free_port()), here(silent.port), here(garbled.port))
        async with directory(rfc2307, servers=servers, timeout=0.2) as asked:
            with pytest.raises(IdentityUnavailable) as error:
                await asked.find("alice")
            with pytest.raises(IdentityUnavailable):
                await asked.authenticate(ALICE.dn, ALICE.password)
    for why in ("Connect call failed", "no answer in time", "no LDAP"):
        assert why in str(error.value)
    assert ALICE.password not in str(error.value)


async def test_d31_fail_over_ends_at_the_deadline(rfc2307: Slapd) -> None:
    async with (
        WireServer(mood=Mood.SILENT) as silent,
        directory(rfc2307, servers=(here(silent.port),) * 9, timeout=60, deadline=0.2) as asked,
    ):
        for _ in range(2):
            with pytest.raises(IdentityUnavailable, match=r"within 0\.2 s"):
                await asked.find("alice")


async def test_connections_that_the_server_has_closed(own: Slapd) -> None:
    async with directory(own) as asked:
        entry = await person(asked, "alice")
        await asked.authenticate(entry.dn, ALICE.password)
        own.child.stop()
        own.start()
        assert await person(asked, "alice") == entry
        await asked.authenticate(entry.dn, ALICE.password)


async def test_a_server_comes_back(own: Slapd) -> None:
    async with directory(own) as asked:
        own.child.stop()
        with pytest.raises(IdentityUnavailable):
            await asked.find("alice")
        own.start()
        assert (await person(asked, "alice")).name == "alice"


async def test_a_login_that_is_given_up_disturbs_nobody(rfc2307: Slapd) -> None:
    async with directory(rfc2307, connections=1) as asked:
        await asked.find("alice")
        for turns in range(8):
            login = asyncio.create_task(asked.find("alice"))
            for _ in range(turns):
                await asyncio.sleep(0)
            login.cancel()
            await asyncio.gather(login, return_exceptions=True)
            assert (await person(asked, "bob")).name == "bob"


async def test_many_logins_share_few_connections(rfc2307: Slapd) -> None:
    async with directory(rfc2307, connections=3) as asked:
        people = await asyncio.gather(*(person(asked, one.name) for one in POSIX * 10))
        await asyncio.gather(*(asked.authenticate(one.dn, one.password) for one in POSIX * 5))
        assert [entry.name for entry in people] == [one.name for one in POSIX * 10]
        assert asked.operations <= 40 + 20 + 3


async def test_values_in_ranges_and_rows_in_pages() -> None:
    """As Active Directory sends them; Samba sends them whole."""
    values = [b"%d" % number for number in range(7)]
    people = {
        f"uid=u{n},ou=people,dc=example,dc=org": {
            "objectClass": [b"posixAccount"],
            "uid": [b"u%d" % n],
            "member": values,
        }
        for n in range(5)
    }
    async with WireServer(people, range_limit=3, row_limit=2) as wire:
        asked = Directory(
            Access(servers=(here(wire.port),)),
            Layout(user_base="dc=example,dc=org", attributes=("member",)),
        )
        assert (await person(asked, "u1")).raw("member") == tuple(values)
        base = "dc=example,dc=org"
        found = await asked.search(Search(base=base, attributes=["uid"], page_size=1000))
        assert len(found) == 5
        with pytest.raises(IdentityUnavailable, match="result 4"):
            await asked.search(Search(base=base, attributes=["uid"]))
        await asked.close()
