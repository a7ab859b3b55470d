"""The login of a hub from 2019 works with a real Active Directory, with today's trait names.

vOrcunus/jupyter-openshift looked people up by ``sAMAccountName`` and let members of one group in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import trustme

from jhext.demo.client import HubClient
from tests.directories.fixtures import running_samba
from tests.directories.people import DOMAIN
from tests.directories.samba import BASE, HUB, HUB_PASSWORD, Samba
from tests.hub import directories
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

SLICE = 770_800_000  # of this domain, as SSSD's library says


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running_samba(trustme.CA()) as server:
        yield server


@pytest.fixture(scope="module")
def bench(run_hub: RunHub, samba: Samba) -> Bench:
    """Run a hub with the seed's lines but for `use_ssl`, `escape_userdn` and the encryption."""
    seed = {
        "server_address": samba.address,
        "server_port": 389,
        "user_search_base": f"OU=People,{BASE}",
        "user_attribute": "sAMAccountName",
        "use_lookup_dn_username": False,
        "lookup_dn": True,
        "lookup_dn_search_filter": "({login_attr}={login})",
        "lookup_dn_user_dn_attribute": "CN",
        "lookup_dn_search_user": HUB,
        "lookup_dn_search_password": HUB_PASSWORD,
        "allowed_groups": [f"CN=faculty,OU=Groups,{BASE}", f"CN=gpu,OU=Groups,{BASE}"],
        "valid_username_regex": r"^[a-z0-9A-Z]*$",
        "admin_users": {"carol"},
    }
    encryption = {"tls_kwargs": {"ca_certs_file": str(samba.ca_file)}}
    more = {"manage_groups": True, "enable_auth_state": True}
    return run_hub(
        directories.DOMAIN_ACCOUNTS,
        directories.settings(directories.domain_source(samba)),
        directories.login(seed | encryption | more),
    )


@pytest.fixture(scope="module")
def by_sid(run_hub: RunHub, samba: Samba) -> Bench:
    """Run a hub, encrypted from the first byte, whose ids are made from SIDs."""
    traits = {
        "server_address": samba.tls_url,
        "tls_kwargs": {"ca_certs_file": str(samba.ca_file)},
        "user_search_base": f"OU=People,{BASE}",
        "user_attribute": "sAMAccountName",
        "lookup_dn": True,
        "lookup_dn_search_user": HUB,
        "lookup_dn_search_password": HUB_PASSWORD,
        "allow_all": True,
        "manage_groups": True,
    }
    return run_hub(
        directories.DOMAIN_ACCOUNTS,
        directories.settings({**directories.domain_source(samba), "ids": "sid"}),
        directories.login(traits),
    )


OLD = 6  # seconds in which a server starts and stops


@pytest.fixture(scope="module")
def without_account(run_hub: RunHub, samba: Samba) -> Bench:
    """Run a hub without an account in the directory, of which it learns at logins alone."""
    traits = {
        "server_address": samba.tls_url,
        "tls_kwargs": {"ca_certs_file": str(samba.ca_file)},
        "bind_dn_template": ["{username}@ad.example.org"],
        "manage_groups": True,
        "enable_auth_state": True,
        "allow_all": True,
        "max_group_age": OLD,
    }
    settings = {"profiles": directories.PROFILES}
    return run_hub(directories.DOMAIN_ACCOUNTS, settings, directories.login(traits))


async def test_d11_old_groups_start_nothing_where_nobody_can_ask_again(
    without_account: Bench,
) -> None:
    for _ in range(2):
        async with without_account.program("alice") as program:
            answer = await program.api("POST", "/users/alice/server", {"profile": "gpu"})
            assert answer.status in (201, 202), answer
            await program.wait_for_server("alice")
            await program.stop_server("alice")
            await asyncio.sleep(OLD)
            answer = await program.api("POST", "/users/alice/server", {"profile": "gpu"})
            assert answer.status == 403
            assert "too old" in answer.text


async def test_ids_in_the_pod_of_who_has_no_posix_attributes(by_sid: Bench) -> None:
    async with by_sid.program("erin") as program:
        assert await directories.groups_in_the_hub(program, "erin") == {"Domain Users"}
        context = await directories.context_of_pod(by_sid, program, "erin", "stub")
    assert context["runAsGroup"] == SLICE + 513
    assert SLICE + 1000 < context["runAsUser"] < SLICE + 200_000


async def test_nested_groups_in_the_hub_and_ids_in_the_pod(bench: Bench) -> None:
    async with bench.program("alice") as program:
        assert {"lab", "gpu", "faculty", "campus", "circle"} <= await directories.groups_in_the_hub(
            program, "alice"
        )
        context = await directories.context_of_pod(bench, program, "alice", "campus")
        assert (context["runAsUser"], context["runAsGroup"]) == (20001, 30000)
        assert {30001, 30002, 30003} <= set(context["supplementalGroups"])


async def test_account_that_is_disabled_later_starts_nothing(bench: Bench, samba: Samba) -> None:
    (bob,) = (person for person in DOMAIN if person.name == "bob")
    change = f"dn: {bob.dn}\nchangetype: modify\nreplace: userAccountControl\n"
    async with bench.program("bob") as program:
        samba.modify(f"{change}userAccountControl: 514\n")
        try:
            answer = await program.api("POST", "/users/bob/server", {"profile": "stub"})
            assert answer.status == 403
            assert await bench.pods("bob") == []
        finally:
            samba.modify(f"{change}userAccountControl: 512\n")


@pytest.mark.parametrize(
    ("name", "password", "told"),
    [
        ("dave", "dave-pw", "Invalid username or password"),  # in none of the groups
        ("alice", "wrong", "Invalid username or password"),
        ("disabled", "disabled-pw", "disabled"),
        ("expired", "expired-pw", "expired"),
        ("mustchange", "mustchange-pw", "has to be changed"),
        ("disabled", "wrong", "Invalid username or password"),
    ],
)
async def test_page_says_why(bench: Bench, name: str, password: str, told: str) -> None:
    async with HubClient(bench.hub.url) as client:
        answer = await client.login(name, password)
    assert answer.status == 403
    assert told in answer.text


async def test_one_account_is_one_user_however_it_is_written(bench: Bench) -> None:
    for name in ("carol", "CAROL", "Carol"):
        async with HubClient(bench.hub.url) as client:
            assert (await client.login(name, "carol-pw")).url.path == "/hub/home"
            users = (await client.api("GET", "/users")).json()
    assert [user["name"] for user in users if user["name"].lower() == "carol"] == ["carol"]
