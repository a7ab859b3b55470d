"""Login by an authenticating proxy: believed with its secret, and never without."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from jhext.demo.accounts import Account
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub
from tests.hub.forging import forger_in

SECRET = "only-the-proxy-knows-this"
PROFILES = [
    {"slug": "lab", "display_name": "Lab", "allow_all": True},
    {"slug": "gpu", "display_name": "GPU", "allowed_groups": ["gpu"]},
]
CONFIG = f"""
c.JupyterHub.authenticator_class = "jhext.HeaderAuthenticator"
c.CryptKeeper.keys = ["{"00" * 32}"]
c.HeaderAuthenticator.enable_auth_state = True
c.HeaderAuthenticator.secret = "{SECRET}"
c.HeaderAuthenticator.trusted_proxies = ["127.0.0.1"]
c.HeaderAuthenticator.manage_groups = True
c.HeaderAuthenticator.admin_groups = {{"admins"}}
c.HeaderAuthenticator.allow_all = True
c.HeaderAuthenticator.auth_refresh_age = 1
"""


@pytest.fixture(scope="module")
def hub(run_hub: RunHub) -> Bench:
    people = [Account(name=name, uid=2000) for name in ("ann", "bob", "eve", "gus")]
    return run_hub(people, {"profiles": PROFILES}, CONFIG)


@pytest.fixture(scope="module")
def distant_hub(run_hub: RunHub) -> Bench:
    """Run a hub whose proxy is said to be elsewhere."""
    elsewhere = 'c.HeaderAuthenticator.trusted_proxies = ["203.0.113.0/24"]'
    return run_hub([Account(name="ann", uid=2000)], {"profiles": PROFILES}, CONFIG + elsewhere)


def through_the_proxy(hub: Bench, name: str, groups: str = "", **more: str) -> httpx.AsyncClient:
    """Open a browser as the proxy lets the hub see it."""
    headers = {"X-Auth-Request-User": name, "X-Auth-Request-Groups": groups}
    headers["X-Auth-Request-Secret"] = SECRET
    return httpx.AsyncClient(
        base_url=hub.hub.url, headers=headers | more, follow_redirects=True, timeout=30
    )


def of_a_script(browser: httpx.AsyncClient) -> dict[str, str]:
    """Give what a script of the hub's pages sends along."""
    tokens = [c.value for c in browser.cookies.jar if c.name == "_xsrf" and c.path == "/hub/"]
    return {"X-XSRFToken": (tokens or [""])[0] or "", "Referer": f"{browser.base_url}hub/home"}


async def who(browser: httpx.AsyncClient) -> dict[str, Any]:
    page = await browser.get("/hub/home")
    answer = await browser.get("/hub/api/user", headers=of_a_script(browser))
    assert answer.is_success, (page.url, page.status_code, answer.text, list(browser.cookies.jar))
    model: dict[str, Any] = answer.json()
    return model


async def test_the_proxy_is_believed(hub: Bench) -> None:
    async with through_the_proxy(hub, "ann", "gpu, lab") as browser:
        model = await who(browser)
        assert (model["name"], set(model["groups"])) == ("ann", {"gpu", "lab"})
        form = await browser.get("/hub/spawn")
        assert {"lab", "gpu"} <= set(form.text.split('"'))
    async with through_the_proxy(hub, "bob", "admins") as browser:
        assert (await who(browser))["admin"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Auth-Request-User": "ann"},
        {"X-Auth-Request-User": "ann", "X-Auth-Request-Secret": ""},
        {"X-Auth-Request-User": "ann", "X-Auth-Request-Secret": f"{SECRET}x"},
        {"X-Auth-Request-User": "ann", "X-Auth-Request-Secret": f"x, {SECRET}"},
        {"X-Auth-Request-Secret": SECRET},
        {"X-Auth-Request-User": "", "X-Auth-Request-Secret": SECRET},
    ],
)
async def test_d30_a_forged_header_is_nobodys(hub: Bench, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=hub.hub.url, follow_redirects=True) as browser:
        answer = await browser.get("/hub/home", headers=headers)
        assert answer.status_code == 403
        assert answer.url.path == "/hub/header_login"
        answer = await browser.get("/hub/api/user", headers=headers)
        assert answer.status_code == 403


async def test_d30_the_secret_from_elsewhere_is_not_believed(distant_hub: Bench) -> None:
    forged = {"X-Forwarded-For": "203.0.113.7"}
    async with through_the_proxy(distant_hub, "ann", **forged) as browser:
        assert (await browser.get("/hub/home")).status_code == 403


async def start(browser: httpx.AsyncClient, name: str, profile: str) -> int:
    path = f"/hub/api/users/{name}/server"
    answer = await browser.post(path, headers=of_a_script(browser), json={"profile": profile})
    return answer.status_code


async def test_d30_the_secret_from_a_persons_server_is_refused(hub: Bench) -> None:
    async with through_the_proxy(hub, "eve") as browser:
        assert (await who(browser))["name"] == "eve"
        assert await start(browser, "eve", "lab") in (201, 202)
        forger = await forger_in(hub, "eve")
    stolen = {"X-Auth-Request-User": "ann", "X-Auth-Request-Secret": SECRET}
    assert await forger.login(stolen) == {403}
    assert await forger.login(stolen | {"X-Forwarded-For": "127.0.0.1"}) == {403}


async def test_d11_groups_follow_the_proxy(hub: Bench) -> None:
    async with through_the_proxy(hub, "gus", "gpu") as browser:
        assert (await who(browser))["groups"] == ["gpu"]
        browser.headers["X-Auth-Request-Groups"] = "lab"
        assert await start(browser, "gus", "gpu") == 403
        browser.headers["X-Auth-Request-Groups"] = "lab,gpu"
        assert await start(browser, "gus", "gpu") in (201, 202)


async def test_another_name_ends_the_session(hub: Bench) -> None:
    async with through_the_proxy(hub, "bob") as browser:
        assert (await who(browser))["name"] == "bob"
        browser.headers["X-Auth-Request-User"] = "ann"
        await asyncio.sleep(1.1)
        assert (await who(browser)).get("name") != "bob"
