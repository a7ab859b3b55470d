"""Login by an authenticating proxy that sends signed tokens: believed by their signature."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from jhext.demo.accounts import Account
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub
from tests.hub.forging import forger_in
from tests.hub.issuer import Issuer, new_key, pem, running_issuer

PROFILES = [
    {"slug": "lab", "display_name": "Lab", "allow_all": True},
    {"slug": "gpu", "display_name": "GPU", "allowed_groups": ["/lab/gpu"]},
]
NAMES = ("ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal")
PEOPLE = [Account(name=name, uid=2000) for name in NAMES]


@dataclass(frozen=True)
class Shape:
    """How one kind of proxy says who somebody is."""

    header: str
    audience: str
    traits: Callable[[Issuer], dict[str, Any]]
    claims: Callable[[str, list[str]], dict[str, Any]]


SHAPES = {
    "oauth2-proxy and Keycloak": Shape(
        "X-Forwarded-Access-Token",
        "hub",
        lambda issuer: {"groups_claim": "realm_access.roles"},
        lambda name, groups: {
            "aud": ["account", "hub"],
            "azp": "oauth2-proxy",
            "preferred_username": name,
            "realm_access": {"roles": groups},
        },
    ),
    "Google IAP": Shape(
        "X-Goog-IAP-JWT-Assertion",
        "/projects/1/global/backendServices/2",
        lambda issuer: {
            "public_key": pem(issuer),
            "username_claim": "email",
            "username_map": {f"{name}@lab.example": name for name in NAMES},
            "groups_claim": "/gcip/groups",
        },
        lambda name, groups: {
            "aud": "/projects/1/global/backendServices/2",
            "email": f"{name}@lab.example",
            "gcip": {"groups": groups},
        },
    ),
    "Cloudflare Access": Shape(
        "Cf-Access-Jwt-Assertion",
        "a1b2c3",
        lambda issuer: {
            "jwks_url": f"{issuer.url}/certs",
            "username_claim": "custom.login",
            "groups_claim": "/custom/https:~1~1lab.example~1groups",
        },
        lambda name, groups: {
            "aud": ["a1b2c3"],
            "custom": {"login": name, "https://lab.example/groups": groups},
        },
    ),
}


class Proxy:
    """The proxy in front of a hub, and what it says of people."""

    def __init__(self, bench: Bench, issuer: Issuer, shape: Shape) -> None:
        self.bench, self.issuer, self.shape = bench, issuer, shape

    def says(self, name: str, *groups: str, **more: Any) -> dict[str, str]:
        claims = self.shape.claims(name, list(groups)) | {"sub": f"id-of-{name}"}
        return {self.shape.header: self.issuer.token(**claims | more)}

    def browser(self, headers: dict[str, str]) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.bench.hub.url, headers=headers, follow_redirects=True, timeout=30
        )


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running_issuer() as issuer:
        yield issuer


def configured(run_hub: RunHub, issuer: Issuer, shape: Shape, **more: Any) -> Proxy:
    traits = {
        "enable_auth_state": True,
        "manage_groups": True,
        "allow_all": True,
        "auth_refresh_age": 1,
        "trusted_proxies": ["127.0.0.1"],
        "jwt_header": shape.header,
        "issuer": issuer.url,
        "audience": shape.audience,
        **shape.traits(issuer),
        **more,
    }
    lines = ["c.JupyterHub.authenticator_class = 'jhext.HeaderAuthenticator'"]
    lines += [f"c.CryptKeeper.keys = ['{'00' * 32}']"]
    lines += [f"c.HeaderAuthenticator.{name} = {value!r}" for name, value in traits.items()]
    return Proxy(run_hub(PEOPLE, {"profiles": PROFILES}, "\n".join(lines)), issuer, shape)


@pytest.fixture(scope="module", params=SHAPES)
def proxy_of(request: pytest.FixtureRequest, run_hub: RunHub, issuer: Issuer) -> Proxy:
    return configured(run_hub, issuer, SHAPES[request.param])


@pytest.fixture(scope="module")
def strict(run_hub: RunHub, issuer: Issuer) -> Proxy:
    """Run a hub that also wants a secret, and starts nothing by old groups."""
    shape = SHAPES["oauth2-proxy and Keycloak"]
    return configured(run_hub, issuer, shape, secret="s" * 16, max_group_age=60)


def of_a_script(browser: httpx.AsyncClient) -> dict[str, str]:
    """Give what a script of the hub's pages sends along."""
    tokens = [c.value for c in browser.cookies.jar if c.name == "_xsrf" and c.path == "/hub/"]
    return {"X-XSRFToken": (tokens or [""])[0] or "", "Referer": f"{browser.base_url}hub/home"}


async def who(browser: httpx.AsyncClient) -> dict[str, Any]:
    page = await browser.get("/hub/home")
    assert page.is_success, page.text
    answer = await browser.get("/hub/api/user", headers=of_a_script(browser))
    model: dict[str, Any] = answer.json()
    return model


async def start(browser: httpx.AsyncClient, name: str, profile: str) -> int:
    path = f"/hub/api/users/{name}/server"
    answer = await browser.post(path, headers=of_a_script(browser), json={"profile": profile})
    return answer.status_code


async def test_what_is_signed_is_believed(proxy_of: Proxy) -> None:
    headers = proxy_of.says("ann", "/lab/gpu") | {"X-Auth-Request-User": "bob"}
    async with proxy_of.browser(headers) as browser:
        model = await who(browser)
        assert (model["name"], model["groups"]) == ("ann", ["/lab/gpu"])
        assert await start(browser, "ann", "gpu") in (201, 202)
        browser.headers.update(proxy_of.says("ann"))
        await asyncio.sleep(1.1)
        assert (await who(browser))["groups"] == []
    assert "eyJ" not in proxy_of.bench.log


FORGED: dict[str, dict[str, Any]] = {
    "another key": {"key": new_key()},
    "another audience": {"aud": "other"},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://id.example.org"},
    "expired": {"exp": int(time.time()) - 600},
    "without an end": {"exp": None},
    "a secret": {"key": "x" * 64, "algorithm": "HS256"},
    "unsigned": {"key": "", "algorithm": "none"},
    "inactive": {"active": False},
    "without a name": {"preferred_username": None, "email": None, "custom": None},
    "a list for a name": {
        "preferred_username": ["ann"],
        "email": ["ann"],
        "custom": {"login": ["ann"]},
    },
}


@pytest.mark.parametrize("forged", FORGED)
async def test_d30_what_is_not_signed_for_this_hub_is_nobodys(proxy_of: Proxy, forged: str) -> None:
    headers = proxy_of.says("ann", **FORGED[forged]) | {"X-Auth-Request-User": "ann"}
    async with proxy_of.browser(headers) as browser:
        assert (await browser.get("/hub/home")).status_code == 403
        assert (await browser.get("/hub/api/user")).status_code == 403


async def test_d30_one_of_two_tokens_is_nobodys(proxy_of: Proxy) -> None:
    header, token = next(iter(proxy_of.says("ann").items()))
    async with proxy_of.browser({}) as browser:
        answer = await browser.get("/hub/home", headers=[(header, token), (header, token)])
    assert answer.status_code == 403


async def test_d30_a_session_ends_with_a_token_that_is_not_believed(proxy_of: Proxy) -> None:
    async with proxy_of.browser(proxy_of.says("bob")) as browser:
        assert (await who(browser))["name"] == "bob"
        browser.headers.update(proxy_of.says("bob", **FORGED["another key"]))
        await asyncio.sleep(1.1)
        assert (await browser.get("/hub/home")).status_code == 403


async def test_d30_a_name_that_went_to_somebody_else_is_refused(proxy_of: Proxy) -> None:
    async with proxy_of.browser(proxy_of.says("cat")) as browser:
        assert (await who(browser))["name"] == "cat"
        browser.headers.update(proxy_of.says("cat", sub="somebody-else"))
        await asyncio.sleep(1.1)
        assert (await browser.get("/hub/home")).status_code == 403
    assert "is id-of-cat at the provider, not somebody-else" in proxy_of.bench.log


async def test_d30_a_token_from_a_persons_server_is_refused(proxy_of: Proxy) -> None:
    victims = proxy_of.says("dan")
    async with proxy_of.browser(proxy_of.says("eve")) as browser:
        assert (await who(browser))["name"] == "eve"
        assert await start(browser, "eve", "lab") in (201, 202)
        forger = await forger_in(proxy_of.bench, "eve")
        assert await forger.login(victims | {"X-Forwarded-For": "127.0.0.1"}) == {403}
    async with proxy_of.browser(victims) as browser:
        assert (await who(browser))["name"] == "dan", "the token itself is fine"


async def test_d11_groups_of_old_tokens_start_nothing(strict: Proxy) -> None:
    secret = {"X-Auth-Request-Secret": "s" * 16}
    old = int(time.time()) - 120
    async with strict.browser(strict.says("fay", "/lab/gpu", iat=old) | secret) as browser:
        assert (await who(browser))["name"] == "fay"
        assert await start(browser, "fay", "gpu") == 403
        browser.headers.update(strict.says("fay", "/lab/gpu"))
        assert await start(browser, "fay", "gpu") in (201, 202)


async def test_d30_where_a_secret_is_set_a_token_alone_is_nobodys(strict: Proxy) -> None:
    async with strict.browser(strict.says("gus")) as browser:
        assert (await browser.get("/hub/home")).status_code == 403


async def test_without_the_issuers_keys_nobody_is_believed_for_now(run_hub: RunHub) -> None:
    with running_issuer() as issuer:
        proxy = configured(run_hub, issuer, SHAPES["oauth2-proxy and Keycloak"])
    async with proxy.browser(proxy.says("hal")) as browser:
        page = await browser.get("/hub/home")
    assert page.status_code == 503
    assert "The identity provider does not answer" in page.text
    assert f"The keys of {issuer.url} cannot be had" in proxy.bench.log
