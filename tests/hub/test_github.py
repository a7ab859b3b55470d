"""Login with GitHub: ids from its numbers, groups from teams and organizations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from tests.github.standin import GitHub, authenticator, entered, log_in, running_github
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
    {"slug": "two", "display_name": "Two", "allowed_groups": ["lab-two"]},
    {"slug": "last", "display_name": "Last", "allowed_groups": ["lab:team-121"]},
]


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with running_github(tmp_path_factory.mktemp("github"), STATE) as github:
        yield github


@pytest.fixture(autouse=True)
def _state(github: GitHub) -> None:
    github.change()


@pytest.fixture(scope="module")
def hub(run_hub: RunHub, github: GitHub) -> Bench:
    settings = {
        "profiles": PROFILES,
        "identity": {
            "sources": [
                {
                    "type": "github",
                    "groups": ["teams", "organizations"],
                    "team_gid_offset": 1_000_000_000,
                }
            ],
            "user_private_groups": True,
            "ttl": 0,
        },
    }
    config = f"""
{authenticator(github)}
c.GitHubOAuthenticator.auth_refresh_age = 1
c.GitHubOAuthenticator.allowed_organizations = ["lab", "lab-two"]
"""
    people = [Account(name=name.lower(), uid=2000) for name in (*STATE["people"], "hubot-ii")]
    return run_hub(people, settings, config)


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
    assert set(context["supplementalGroups"]) == {900, *range(1_000_007_000, 1_000_007_122)}
    assert "lab.team-121:x:1000007121:octocat" in str(pod["metadata"]["annotations"])
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


async def test_who_is_renamed_is_the_same_person(hub: Bench, github: GitHub) -> None:
    people = {**STATE["people"], "hubot": {**STATE["people"]["hubot"], "login": "Hubot-II"}}
    async with await entered(hub, github, "hubot") as program:
        assert await uid_of_a_start(hub, program, "hubot") == 480938
        github.change(people=people)
        # whoever goes on under the old name has to log in again, and is the new name then
        assert await start(program, "hubot", "two") == 403
    page, token = await log_in(hub, github, "hubot", "hubot-ii")
    assert token, (page.status_code, page.text)
    async with HubClient(hub.hub.url, token) as program:
        assert await uid_of_a_start(hub, program, "hubot-ii") == 480938
    assert "hubot is called hubot-ii at the provider now" in hub.log
    assert not hub.unhandled


async def uid_of_a_start(bench: Bench, program: HubClient, name: str) -> int:
    assert await start(program, name, "two") in (201, 202)
    await program.wait_for_server(name)
    (pod,) = await bench.pods(name)
    await program.stop_server(name)
    return int(pod["spec"]["securityContext"]["runAsUser"])


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
