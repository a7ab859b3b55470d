"""Login with a real OpenID provider: who people are, what they may start, and when that ends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub
from tests.openid.provider import OpenIdProvider, log_in, running_provider

PROFILES = [
    {"slug": "lab", "display_name": "Lab", "allowed_groups": ["hub-users"]},
    {"slug": "gpu", "display_name": "GPU", "allowed_groups": ["gpu"]},
]
POINTERS = {
    "uid": "/oauth_user/uid_number",
    "gid": "/oauth_user/gid_number",
    "gecos": "/oauth_user/name",
    "subject": "/oauth_user/sub",
}
ALICE = {"name": "Alice Ö.", "groups": ["hub-users"], "uid_number": 20000, "gid_number": 30000}
PEOPLE: dict[str, dict[str, Any]] = {
    "alice": ALICE,
    "bob": {**ALICE, "groups": '["hub-users", "gpu"]', "uid_number": "20001"},
    "carl": {**ALICE, "groups": "gpu", "uid_number": 20002},
    "dora": {**ALICE, "groups": [], "uid_number": 20003},
    "fred": {**ALICE, "groups": 7},
    "gina": {name: value for name, value in ALICE.items() if name != "groups"},
    "mallory": {**ALICE, "preferred_username": "alice", "uid_number": 20004},
    "gone": {**ALICE, "active": False},
    "nobody": {**ALICE, "preferred_username": ["alice"]},
}
ACCOUNTS = [Account(name=name, uid=20000 + number) for number, name in enumerate(PEOPLE)]
ENOUGH = 20
"""How many answers of the hub show that it is not waiting."""
Hub = tuple[Bench, OpenIdProvider]
GRACE = 15  # seconds in which a server starts and stops; JupyterHub 5 refuses what comes later
GROUPS = {"alice": {"hub-users"}, "bob": {"hub-users", "gpu"}, "carl": {"gpu"}, "dora": set()}


@pytest.fixture(scope="module")
def provider(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenIdProvider]:
    with running_provider(pytestconfig, tmp_path_factory.mktemp("openid")) as provider:
        yield provider


@pytest.fixture(autouse=True)
def _people(provider: OpenIdProvider) -> None:
    provider.change(PEOPLE)


def configured(run_hub: RunHub, provider: OpenIdProvider, config: str) -> Hub:
    settings = {
        "profiles": PROFILES,
        "identity": {
            "sources": [{"type": "auth_state", "fields": POINTERS}],
            "ttl": 0,
            "unique_uid": "off",
        },
    }
    common = f"""
c.JupyterHub.authenticator_class = "jhext-generic-oauth"
c.CryptKeeper.keys = ["{"00" * 32}"]
c.GenericOAuthenticator.enable_auth_state = True
c.GenericOAuthenticator.auth_refresh_age = 1
c.GenericOAuthenticator.client_id = "hub"
c.GenericOAuthenticator.client_secret = "local-only"
c.GenericOAuthenticator.authorize_url = "{provider.url}/auth"
c.GenericOAuthenticator.token_url = "{provider.url}/token"
c.GenericOAuthenticator.scope = ["openid", "profile", "groups", "posix"]
c.GenericOAuthenticator.username_claim = "preferred_username"
c.GenericOAuthenticator.manage_groups = True
c.GenericOAuthenticator.auth_state_groups_key = "oauth_user.groups"
c.GenericOAuthenticator.allow_all = True
"""
    return run_hub(ACCOUNTS, settings, common + config), provider


def from_userinfo(provider: OpenIdProvider) -> str:
    return f'c.GenericOAuthenticator.userdata_url = "{provider.url}/me"\n'


def from_id_token(provider: OpenIdProvider) -> str:
    return f"""
c.GenericOAuthenticator.userdata_from_id_token = True
c.GenericOAuthenticator.issuer = "{provider.url}"
"""


@pytest.fixture(scope="module", params=[from_userinfo, from_id_token])
def hub(request: pytest.FixtureRequest, run_hub: RunHub, provider: OpenIdProvider) -> Hub:
    return configured(run_hub, provider, request.param(provider))


@pytest.fixture(scope="module")
def strict_hub(run_hub: RunHub, provider: OpenIdProvider) -> Hub:
    grace = f"c.GenericOAuthenticator.outage_grace = {GRACE}"
    return configured(run_hub, provider, from_userinfo(provider) + grace)


BLOCKED = """
def blocked(authenticator, user, auth_state):
    import time
    time.sleep(5)

c.GenericOAuthenticator.refresh_user_hook = blocked
"""


@pytest.fixture(scope="module")
def waiting_hub(run_hub: RunHub, provider: OpenIdProvider) -> Hub:
    wait = 'c.GenericOAuthenticator.http_request_kwargs = {"request_timeout": 10}\n'
    return configured(run_hub, provider, from_userinfo(provider) + wait)


@pytest.fixture(scope="module")
def blocked_hub(run_hub: RunHub, provider: OpenIdProvider) -> Hub:
    """Run a hub that does what none may: its event loop waits for the provider."""
    return configured(run_hub, provider, from_userinfo(provider) + BLOCKED)


async def entered(hub: Hub, name: str) -> HubClient:
    bench, provider = hub
    page, token = await log_in(bench.hub.url, name, provider.url)
    assert token, (page.status_code, page.text)
    return HubClient(bench.hub.url, token)


async def start(program: HubClient, name: str, profile: str) -> int:
    answer = await program.api("POST", f"/users/{name}/server", {"profile": profile})
    return answer.status


@pytest.mark.parametrize("name", GROUPS)
async def test_groups_come_in_any_shape(hub: Hub, name: str) -> None:
    async with await entered(hub, name) as program:
        model = (await program.api("GET", f"/users/{name}")).json()
    assert set(model["groups"]) == GROUPS[name]


async def test_the_pod_runs_as_the_person(hub: Hub) -> None:
    async with await entered(hub, "bob") as program:
        assert await start(program, "bob", "gpu") in (201, 202)
        await program.wait_for_server("bob")
        (pod,) = await hub[0].pods("bob")
        await program.stop_server("bob")
    assert pod["spec"]["securityContext"]["runAsUser"] == 20001
    assert pod["spec"]["securityContext"]["runAsGroup"] == 30000
    assert "Alice Ö." in str(pod["metadata"]["annotations"])


@pytest.mark.parametrize(
    ("name", "status"),
    [
        *(("mallory", 403), ("gone", 403), ("nobody", 403), ("stranger", None)),
        *(("fred", 403), ("gina", 403)),
    ],
)
async def test_d56_who_is_not_who_they_say_is_refused(
    hub: Hub, name: str, status: int | None
) -> None:
    async with await entered(hub, "alice"):
        pass
    page, token = await log_in(hub[0].hub.url, name, hub[1].url)
    assert not token
    assert page.status_code == status or (status is None and page.is_error)


async def test_d11_a_right_that_ends_bites_at_the_next_start(hub: Hub) -> None:
    bench, provider = hub
    async with await entered(hub, "alice") as program:
        provider.change({**PEOPLE, "alice": {**ALICE, "groups": []}})
        await asyncio.sleep(2)  # a token of OpenID counts whole seconds
        assert await start(program, "alice", "lab") == 403
        provider.change({**PEOPLE, "alice": PEOPLE["gina"]})
        await asyncio.sleep(2)
        assert await start(program, "alice", "lab") == 403
        provider.change(PEOPLE)
        await asyncio.sleep(2)
        assert await start(program, "alice", "lab") in (201, 202)
        await program.wait_for_server("alice")
        await program.stop_server("alice")
    assert not re.search(r"eyJ[\w-]+\.eyJ", bench.log), "a token is in the log"


async def test_who_is_gone_is_gone(hub: Hub) -> None:
    async with await entered(hub, "alice") as program:
        provider = hub[1]
        provider.change({name: said for name, said in PEOPLE.items() if name != "alice"})
        await asyncio.sleep(2)
        assert await start(program, "alice", "lab") == 403


SHORT = """
from jhext.authenticators import signed_token
signed_token.LEEWAY = 0
c.GenericOAuthenticator.auth_refresh_age = 3600
"""


async def test_d11_an_id_token_that_has_expired_is_replaced(
    run_hub: RunHub, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    with running_provider(pytestconfig, tmp_path, ttl={"IdToken": 2}) as provider:
        provider.change(PEOPLE)
        hub = configured(run_hub, provider, from_id_token(provider) + SHORT)
        async with await entered(hub, "alice") as program:
            provider.change({**PEOPLE, "alice": {**ALICE, "groups": ["gpu"]}})
            await asyncio.sleep(3.1)
            assert await start(program, "alice", "lab") == 403
            assert await start(program, "alice", "gpu") in (201, 202)
            await program.wait_for_server("alice")
            await program.stop_server("alice")


async def test_d11_a_provider_that_is_away_is_waited_for_so_long_and_no_longer(
    strict_hub: Hub,
) -> None:
    bench, provider = strict_hub
    async with await entered(strict_hub, "alice") as program:
        provider.stop()
        try:
            await asyncio.sleep(1.1)
            assert (await program.api("GET", "/users/alice")).status == 200
            assert await start(program, "alice", "lab") in (201, 202)
            await program.wait_for_server("alice")
            await program.stop_server("alice")
            await asyncio.sleep(GRACE)
            assert (await program.get("/hub/health")).status == 200
            assert await start(program, "alice", "lab") == 403
            assert "The provider does not answer; alice was asked" in bench.log
        finally:
            provider.come_back()
    async with await entered(strict_hub, "alice") as program:
        assert await start(program, "alice", "lab") in (201, 202)
        await program.wait_for_server("alice")
        await program.stop_server("alice")


async def healthy_answers_meanwhile(program: HubClient, refreshes: int) -> int:
    """Have a person looked up again; count what the hub answers to others before that ends."""
    await asyncio.sleep(1.1)
    asked = (program.api("GET", "/users/alice") for _ in range(refreshes))
    waiting = asyncio.ensure_future(asyncio.gather(*asked))
    await asyncio.sleep(0.5)
    answers = 0
    while not waiting.done() and answers < ENOUGH:
        assert (await program.get("/hub/health")).status == 200
        answers += not waiting.done()
    await waiting
    return answers


async def test_d31_a_provider_that_is_silent_holds_up_nobody_else(waiting_hub: Hub) -> None:
    async with await entered(waiting_hub, "alice") as program:
        with waiting_hub[1].silent():
            assert await healthy_answers_meanwhile(program, 30) == ENOUGH


async def test_d31_a_delay_of_the_loop_would_be_seen(blocked_hub: Hub) -> None:
    """With the delay injected where it may not be, the same count is another one."""
    async with await entered(blocked_hub, "alice") as program:
        assert await healthy_answers_meanwhile(program, 1) < ENOUGH
