"""Login with GitHub: ids from its numbers, groups from teams and organizations."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from jhext.demo.processes import Children, free_port
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

MANY = [f"team-{number:03}" for number in range(122)]
STATE: dict[str, Any] = {
    "people": {
        "Octocat": {
            "id": 583231,
            "name": "The Octocat",
            "organizations": ["Lab"],
            "teams": [["Lab", slug] for slug in MANY],
        },
        "hubot": {"id": 480938, "organizations": ["lab-two"], "teams": []},
        "impostor": {"id": 999, "login": "Octocat", "organizations": ["Lab"], "teams": []},
    },
    "organizations": {"Lab": 900, "lab-two": 901},
    "teams": {f"Lab/{slug}": 7000 + number for number, slug in enumerate(MANY)},
}
PROFILES = [
    {"slug": "lab", "display_name": "Lab", "allowed_groups": ["lab"]},
    {"slug": "last", "display_name": "Last", "allowed_groups": ["lab:team-121"]},
]


class GitHub:
    """The stand-in, and what it says from now on."""

    def __init__(self, url: str, state: Path) -> None:
        self.url = url
        self._state = state

    def change(self, **more: Any) -> None:
        self._state.write_text(json.dumps(STATE | more))


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    folder = tmp_path_factory.mktemp("github")
    url = f"http://127.0.0.1:{(port := free_port())}"
    github = GitHub(url, folder / "state.json")
    github.change()
    command = [sys.executable, "-m", "tests.github.server", str(port), str(folder / "state.json")]

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/api/v3/user").status_code == 401
        except httpx.TransportError:
            return False

    with Children() as children:
        top = Path(__file__).parents[2]
        child = children.start("github", command, env={}, cwd=top, log=folder / "log")
        child.wait_until(answers, 30)
        yield github


@pytest.fixture(autouse=True)
def _state(github: GitHub) -> None:
    github.change()


@pytest.fixture(scope="module")
def hub(run_hub: RunHub, github: GitHub) -> Bench:
    settings = {
        "profiles": PROFILES,
        "identity": {
            "sources": [{"type": "github", "groups": ["teams", "organizations"]}],
            "user_private_groups": True,
            "ttl": 0,
        },
    }
    config = f"""
c.JupyterHub.authenticator_class = "jhext.GitHubOAuthenticator"
c.CryptKeeper.keys = ["{"00" * 32}"]
c.GitHubOAuthenticator.enable_auth_state = True
c.GitHubOAuthenticator.auth_refresh_age = 1
c.GitHubOAuthenticator.github_url = "{github.url}"
c.GitHubOAuthenticator.client_id = "hub"
c.GitHubOAuthenticator.client_secret = "local-only"
c.GitHubOAuthenticator.manage_groups = True
c.GitHubOAuthenticator.allowed_organizations = ["lab", "lab-two"]
c.GitHubOAuthenticator.allow_all = True
"""
    people = [Account(name=name.lower(), uid=2000) for name in STATE["people"]]
    return run_hub(people, settings, config)


async def log_in(bench: Bench, github: GitHub, login: str) -> tuple[httpx.Response, str]:
    """Log in as a browser does; give the last page, and a token if there is one."""
    hub = bench.hub.url
    async with httpx.AsyncClient(follow_redirects=True, timeout=60) as browser:
        page = await browser.get(f"{hub}/hub/oauth_login", params={"next": "/hub/home"})
        asked = dict(page.url.params)
        names = ("state", "scope", "redirect_uri")
        fields = {name: asked[name] for name in names} | {"login": login}
        page = await browser.post(f"{github.url}/login/oauth/authorize", data=fields)
        cookies = [c for c in browser.cookies.jar if c.name == "_xsrf" and c.path == "/hub/"]
        if not page.is_success or not cookies:
            return page, ""
        token = await browser.post(
            f"{hub}/hub/api/users/{login.lower()}/tokens",
            headers={"X-XSRFToken": cookies[0].value or "", "Referer": f"{hub}/hub/home"},
            json={"note": "test"},
        )
        return page, str(token.json().get("token", ""))


async def entered(bench: Bench, github: GitHub, login: str) -> HubClient:
    page, token = await log_in(bench, github, login)
    assert token, (page.status_code, page.text)
    return HubClient(bench.hub.url, token)


async def start(program: HubClient, name: str, profile: str) -> int:
    return (await program.api("POST", f"/users/{name}/server", {"profile": profile})).status


async def test_teams_of_all_pages_and_ids_of_github(hub: Bench, github: GitHub) -> None:
    async with await entered(hub, github, "Octocat") as program:
        model = (await program.api("GET", "/users/octocat")).json()
        assert set(model["groups"]) == {"lab", *(f"lab:{slug}" for slug in MANY)}
        assert await start(program, "octocat", "last") in (201, 202)
        await program.wait_for_server("octocat")
        (pod,) = await hub.pods("octocat")
        await program.stop_server("octocat")
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (583231, 583231)
    assert set(context["supplementalGroups"]) == {900, *range(7000, 7122)}
    assert "lab.team-121:x:7121:octocat" in str(pod["metadata"]["annotations"])
    environment = {e["name"]: e.get("value") for e in pod["spec"]["containers"][0]["env"]}
    assert environment["GIT_AUTHOR_NAME"] == "The Octocat"
    assert environment["GIT_AUTHOR_EMAIL"] == "Octocat@private.example"


async def test_d11_a_membership_that_ends_bites_at_the_next_start(
    hub: Bench, github: GitHub
) -> None:
    async with await entered(hub, github, "Octocat") as program:
        person = {**STATE["people"]["Octocat"], "teams": [], "organizations": ["Lab"]}
        github.change(people={**STATE["people"], "Octocat": person})
        assert await start(program, "octocat", "last") == 403
        # an organization that is gone from everywhere
        gone = {**person, "organizations": []}
        github.change(people={**STATE["people"], "Octocat": gone}, organizations={})
        assert await start(program, "octocat", "lab") == 403


async def test_who_has_the_name_of_another_is_refused(hub: Bench, github: GitHub) -> None:
    async with await entered(hub, github, "Octocat"):
        pass
    page, token = await log_in(hub, github, "impostor")
    assert (page.status_code, token) == (403, "")
    assert "is 583231 at the provider, not 999" in hub.log


RATE_LIMIT = {"status": 403, "headers": {"X-RateLimit-Remaining": "0"}}


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, RATE_LIMIT])
@pytest.mark.parametrize("path", ["/user", "/user/teams"])
async def test_github_may_fail_for_a_while(
    hub: Bench, github: GitHub, path: str, fault: dict[str, Any]
) -> None:
    async with await entered(hub, github, "Octocat") as program:
        github.change(faults={path: fault})
        await asyncio.sleep(1.1)
        assert await start(program, "octocat", "lab") in (201, 202)
        await program.wait_for_server("octocat")
        await program.stop_server("octocat")
        page, token = await log_in(hub, github, "hubot")
        assert (page.status_code, token) == (503, "")


async def test_a_token_that_was_taken_back_ends_it(hub: Bench, github: GitHub) -> None:
    async with await entered(hub, github, "Octocat") as program:
        github.change(faults={"/user": {"status": 401}})
        assert await start(program, "octocat", "lab") == 403


async def test_pages_of_another_host_are_not_asked_for(hub: Bench, github: GitHub) -> None:
    github.change(next_page_at="http://127.0.0.1:9")
    page, token = await log_in(hub, github, "Octocat")
    assert (page.status_code, token) == (503, "")
    assert "leads to another host" in hub.log
