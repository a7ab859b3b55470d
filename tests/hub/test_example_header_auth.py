"""The example header-auth, with its nginx, which has a stand-in for oauth2-proxy ask people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from jhext.demo.client import HubClient
from jhext.demo.forms import SpawnForm
from jhext.demo.proxy import Proxy
from tests.hub import examples
from tests.hub.bench import Bench
from tests.hub.gateway import PERSON, running_gateway
from tests.hub.issuer import Issuer, new_key, running_issuer
from tests.openid.provider import new_token

SECRET = "22" * 32
CLAIMS: dict[str, dict[str, Any]] = {
    "ann": {"uid_number": 20001, "groups": ["/lab/gpu"], "affiliation": "student"},
    "bob": {"uid_number": 20002, "groups": ["/lab"], "affiliation": "staff"},
}
OFFERED = {"ann": {"small", "gpu"}, "bob": {"small", "staff"}}
FORGED: dict[str, dict[str, Any]] = {"key": {"key": new_key()}, "audience": {"aud": "account"}}


def said(issuer: Issuer, name: str, **more: Any) -> str:
    """Give what the issuer says of somebody."""
    claims = {"aud": ["account", "hub"], "sub": f"id-of-{name}", "preferred_username": name}
    claims |= CLAIMS[name] | {"gid_number": 30000, "name": name.title(), "email": f"{name}@x.org"}
    return issuer.token(**claims | more)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def bench(proxy: Proxy, issuer: Issuer) -> Iterator[Bench]:
    places = {
        "https://id.example.org/realms/lab": issuer.url,
        "gpu: {timeout: 30m}": "gpu: {timeout: 5s}",
    }
    env = {"JUPYTERHUB_CRYPT_KEY": "00" * 32, "JHEXT_HEADER_SECRET": SECRET}
    with examples.running_example("header-auth", proxy, places=places, env=env) as bench:
        yield bench


@pytest.fixture(scope="module")
def gateway(bench: Bench, issuer: Issuer) -> Iterator[str]:
    tokens = {name: said(issuer, name) for name in CLAIMS}
    tokens |= {name: said(issuer, "ann", **claims) for name, claims in FORGED.items()}
    manifest = examples.EXAMPLES / "header-auth" / "gateway.yaml"
    with running_gateway(manifest, bench.hub.url, SECRET, tokens) as address:
        yield address


def browser_of(gateway: str, name: str) -> httpx.AsyncClient:
    """Open the browser of somebody whom oauth2-proxy knows by a cookie."""
    browser = httpx.AsyncClient(base_url=gateway, follow_redirects=True, timeout=30)
    browser.cookies.set(PERSON, name)
    return browser


@pytest.mark.parametrize("name", OFFERED)
async def test_form_is_what_the_token_says(gateway: str, name: str) -> None:
    async with browser_of(gateway, name) as browser:
        form = await browser.get("/hub/spawn")
    assert set(SpawnForm.parse(form.text).profiles) == OFFERED[name]


async def test_pod_is_the_persons_and_ends(bench: Bench, gateway: str) -> None:
    async with browser_of(gateway, "ann") as browser:
        await browser.get("/hub/home")
        token = await new_token(gateway, browser, "ann")
    async with HubClient(gateway, token) as ann:
        assert await examples.start(ann, "ann", "staff") == 403
        assert await bench.pods("ann") == []
        pod = await examples.pod_of(bench, ann, "ann", "gpu")
        async with browser_of(gateway, "ann") as browser:
            seen = (await browser.get("/user/ann/")).json()
        assert await examples.culled(bench, ann, "ann") == "idle"
    assert not {"X-Auth-Request-Access-Token", "X-Auth-Request-Secret"} & set(seen)
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (20001, 30000)
    home = examples.mounted(pod)["/home/ann"]
    assert home["persistentVolumeClaim"]["claimName"] == "home-ann"
    assert examples.environment(pod)["GIT_AUTHOR_EMAIL"] == "ann@x.org"
    assert pod["metadata"]["labels"]["jhext.io/profile"] == "gpu"


@pytest.mark.parametrize("forged", FORGED)
async def test_d30_what_is_not_signed_for_this_hub_is_nobodys(gateway: str, forged: str) -> None:
    async with browser_of(gateway, forged) as browser:
        assert (await browser.get("/hub/home")).status_code == 403


async def test_d30_past_the_gateway_a_token_is_nobodys(bench: Bench, issuer: Issuer) -> None:
    headers = {"X-Auth-Request-Access-Token": said(issuer, "ann")}
    async with httpx.AsyncClient(base_url=bench.hub.url, follow_redirects=True) as browser:
        assert (await browser.get("/hub/home", headers=headers)).status_code == 403


async def test_who_has_not_logged_in_is_asked_to(gateway: str) -> None:
    async with httpx.AsyncClient(base_url=gateway) as browser:
        answer = await browser.get("/hub/home")
        assert answer.headers["Location"].endswith("/oauth2/start?rd=/hub/home")
        headers = {"X-Auth-Request-Secret": SECRET, "X-Auth-Request-Access-Token": "x"}
        assert (await browser.get("/hub/api/user", headers=headers)).status_code == 403
