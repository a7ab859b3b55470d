"""The stand-in for GitHub, running, and a browser that logs in with it."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx

from jhext.demo.client import HubClient
from jhext.demo.processes import Children, free_port
from tests.hub.bench import Bench


class GitHub:
    """The stand-in, and what it says from now on."""

    def __init__(self, url: str, file: Path, state: Mapping[str, Any]) -> None:
        self.url = url
        self.api = f"{url}/api/v3"
        self._file = file
        self._state = dict(state)

    def change(self, **more: Any) -> None:
        """Say what it says at first, but for this."""
        self._file.write_text(json.dumps(self._state | more))


@contextmanager
def running_github(folder: Path, state: Mapping[str, Any]) -> Iterator[GitHub]:
    """Run the stand-in on loopback."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    github = GitHub(url, folder / "state.json", state)
    github.change()
    command = [sys.executable, "-m", "tests.github.server", str(port), str(folder / "state.json")]

    def answers() -> bool:
        try:
            return httpx.get(f"{github.api}/user").status_code == 401
        except httpx.TransportError:
            return False

    with Children() as children:
        top = Path(__file__).parents[2]
        child = children.start("github", command, env={}, cwd=top, log=folder / "log")
        child.wait_until(answers, 30)
        yield github


def authenticator(github: GitHub) -> str:
    """Return the text that a configuration has for logins with it."""
    return f"""
c.JupyterHub.authenticator_class = "jhext.GitHubOAuthenticator"
c.CryptKeeper.keys = ["{"00" * 32}"]
c.GitHubOAuthenticator.enable_auth_state = True
c.GitHubOAuthenticator.github_url = "{github.url}"
c.GitHubOAuthenticator.client_id = "hub"
c.GitHubOAuthenticator.client_secret = "local-only"
c.GitHubOAuthenticator.manage_groups = True
c.GitHubOAuthenticator.allow_all = True
"""


@asynccontextmanager
async def browsing(
    bench: Bench, github: GitHub, login: str
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.Response]]:
    """Log in as a browser does; give the browser and the last page."""
    async with httpx.AsyncClient(follow_redirects=True, timeout=60) as browser:
        page = await browser.get(f"{bench.hub.url}/hub/oauth_login", params={"next": "/hub/home"})
        asked = dict(page.url.params)
        names = ("state", "scope", "redirect_uri")
        fields = {name: asked[name] for name in names} | {"login": login}
        yield browser, await browser.post(f"{github.url}/login/oauth/authorize", data=fields)


async def log_in(
    bench: Bench, github: GitHub, login: str, name: str = ""
) -> tuple[httpx.Response, str]:
    """Log in; give the last page, and a token if there is one.

    The name is what the person is called in the hub, where it is not the login.
    """
    hub = bench.hub.url
    async with browsing(bench, github, login) as (browser, page):
        cookies = [c for c in browser.cookies.jar if c.name == "_xsrf" and c.path == "/hub/"]
        if not page.is_success or not cookies:
            return page, ""
        token = await browser.post(
            f"{hub}/hub/api/users/{name or login.lower()}/tokens",
            headers={"X-XSRFToken": cookies[0].value or "", "Referer": f"{hub}/hub/home"},
            json={"note": "test"},
        )
        return page, str(token.json().get("token", ""))


async def entered(bench: Bench, github: GitHub, login: str) -> HubClient:
    """Log in, and return a program with a token of that person."""
    page, token = await log_in(bench, github, login)
    assert token, (page.status_code, page.text)
    return HubClient(bench.hub.url, token)
