"""People log in to a real hub with a real OpenLDAP, and start what its groups allow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import trustme

from jhext.demo.client import HubClient
from jhext.demo.processes import free_port
from tests.cluster.line import Line
from tests.directories.fixtures import running_slapd
from tests.directories.slapd import BASE, Slapd
from tests.hub import directories
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub
from tests.ldap_wire import Mood, WireServer

DELAY = 5.0
GPU = f"cn=gpu,ou=groups,{BASE}"


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    with running_slapd("rfc2307bis", trustme.CA()) as server:
        yield server


@pytest.fixture(scope="module")
def bench(run_hub: RunHub, slapd: Slapd) -> Bench:
    """Run a hub that asks the directory at login, at each start and for identities."""
    return run_hub(
        directories.POSIX_ACCOUNTS,
        directories.settings(directories.posix_source(slapd)),
        directories.login(directories.posix_login(slapd)),
    )


async def test_groups_in_the_hub_and_ids_in_the_pod(bench: Bench) -> None:
    async with bench.program("alice") as program:
        nested = {"faculty", "campus", "circle"}
        assert (
            await directories.groups_in_the_hub(program, "alice")
            == {"students", "lab", "gpu"} | nested
        )
        context = await directories.context_of_pod(bench, program, "alice", "campus")
        assert (context["runAsUser"], context["runAsGroup"]) == (20001, 30000)
        assert context["supplementalGroups"] == [30001, 30002, 30003]


async def test_d11_membership_that_has_ended_bites_at_the_next_start(
    bench: Bench, slapd: Slapd
) -> None:
    bob = f"member: uid=bob,ou=people,{BASE}\n"
    async with bench.program("bob") as program:
        answer = await program.api("POST", "/users/bob/server", {"profile": "gpu"})
        assert answer.status in (201, 202), answer
        await program.wait_for_server("bob")
        await program.stop_server("bob")
        slapd.modify(f"dn: {GPU}\nchangetype: modify\ndelete: member\n{bob}")
        try:
            answer = await program.api("POST", "/users/bob/server", {"profile": "gpu"})
            assert answer.status == 403
            assert await bench.pods("bob") == []
        finally:
            slapd.modify(f"dn: {GPU}\nchangetype: modify\nadd: member\n{bob}")


async def test_deleted_account_starts_nothing(bench: Bench, slapd: Slapd) -> None:
    async with bench.program("dave") as program:
        slapd.modify(f"dn: uid=dave,ou=people,{BASE}\nchangetype: delete\n")
        answer = await program.api("POST", "/users/dave/server", {"profile": "stub"})
        assert answer.status == 403
        assert await bench.pods("dave") == []


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "wrong"), ("nobody", "x"), ("*", "x"), ("alice)(uid=*", "alice-pw"), ("alice", " ")],
)
async def test_nobody_else_gets_in(bench: Bench, name: str, password: str) -> None:
    async with HubClient(bench.hub.url) as client:
        answer = await client.login(name, password)
    assert answer.status == 403
    assert "Invalid username or password" in answer.text


# A hub of its own asks at these ports, where each test puts a server as it needs it.
PORTS = [free_port() for _ in range(3)]


@pytest.fixture(scope="module")
def faulty(run_hub: RunHub, slapd: Slapd) -> Bench:
    """Run a hub whose three servers are gone until a test starts one."""
    traits = directories.posix_login(slapd, *(f"127.0.0.1:{port}" for port in PORTS))
    traits |= {"tls_strategy": "insecure", "timeout": DELAY + 3, "deadline": 12 * DELAY}
    settings = {"profiles": directories.PROFILES}
    return run_hub(directories.POSIX_ACCOUNTS, settings, directories.login(traits))


@asynccontextmanager
async def slowest_answer(bench: Bench) -> AsyncIterator[list[float]]:
    """Ask the hub all the time whether it is well; keep how long it took at most."""
    slowest = [0.0]

    async def ask() -> None:
        async with HubClient(bench.hub.url) as client:
            while True:
                asked = time.monotonic()
                assert (await client.get("/hub/health")).status == 200
                slowest[0] = max(slowest[0], time.monotonic() - asked)
                await asyncio.sleep(0.05)

    asking = asyncio.create_task(ask())
    try:
        yield slowest
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def log_in(bench: Bench, name: str) -> int:
    async with HubClient(bench.hub.url) as client:
        return (await client.login(name, f"{name}-pw")).status


async def test_d31_slow_directory_holds_nobody_up(faulty: Bench, slapd: Slapd) -> None:
    async with Line(slapd.url, PORTS[0], delay=DELAY), slowest_answer(faulty) as slowest:
        names = ("alice", "bob", "carol")
        assert set(await asyncio.gather(*(log_in(faulty, name) for name in names))) == {200}
    assert slowest[0] < DELAY / 2


@pytest.mark.parametrize("mood", [Mood.SILENT, Mood.GARBAGE])
async def test_d31_directory_that_fails(faulty: Bench, slapd: Slapd, mood: Mood) -> None:
    """Logins fail in time while there is no other server, and go on with the next one."""
    async with WireServer(mood=mood, port=PORTS[0]), slowest_answer(faulty) as slowest:
        assert await log_in(faulty, "alice") == 503
        async with Line(slapd.url, PORTS[1]):
            assert await log_in(faulty, "alice") == 200
    assert slowest[0] < DELAY / 2


async def test_first_of_three_servers_is_down(faulty: Bench, slapd: Slapd) -> None:
    async with Line(slapd.url, PORTS[2]):
        assert await log_in(faulty, "alice") == 200


async def test_d11_account_that_is_gone_starts_nothing_by_token(
    faulty: Bench, slapd: Slapd
) -> None:
    """Here login alone asks the directory, and JupyterHub goes on where a token's refresh fails."""
    carol, gone = f"uid=carol,ou=people,{BASE}", f"uid=gone,ou=people,{BASE}"
    rename = "dn: {}\nchangetype: modrdn\nnewrdn: {}\ndeleteoldrdn: 1\n"
    async with Line(slapd.url, PORTS[0]), faulty.program("carol") as program:
        slapd.modify(rename.format(carol, "uid=gone"))
        try:
            answer = await program.api("POST", "/users/carol/server", {"profile": "stub"})
            assert answer.status == 403
            assert await faulty.pods("carol") == []
        finally:
            slapd.modify(rename.format(gone, "uid=carol"))
        answer = await program.api("POST", "/users/carol/server", {"profile": "stub"})
        assert answer.status in (201, 202), answer
        await program.wait_for_server("carol")
        await program.stop_server("carol")
