"""Whom the authenticator for GitHub asks: GitHub, and nobody to whom an answer leads."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tornado.httpclient import HTTPClientError
from tornado.web import HTTPError
from traitlets.config import Config

from jhext import GitHubOAuthenticator
from jhext.authenticators.freshness import VERIFIED_AT
from jhext.authenticators.github import MAX_REDIRECTS

TOKEN = {"Authorization": "Bearer gho_secret"}


class Site:
    """A web site, and what it has been asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.leads: dict[str, str] = {}
        application = web.Application()
        application.add_routes([web.get("/{path:.*}", self._answer)])
        self.server = TestServer(application)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path == "/fault":
            raise web.HTTPNotFound
        if request.path in self.leads:
            return web.Response(status=302, headers={"Location": self.leads[request.path]})
        return web.json_response({"token": request.headers.get("Authorization")})


@pytest.fixture
async def github() -> AsyncIterator[Site]:
    site = Site()
    async with site.server:
        yield site


@pytest.fixture
async def elsewhere() -> AsyncIterator[Site]:
    site = Site()
    async with site.server:
        yield site


async def ask(site: Site, path: str, **more: Any) -> Any:
    url = str(site.server.make_url("")).rstrip("/")
    section = {"github_url": url, "client_id": "hub"}
    made = GitHubOAuthenticator(config=Config(GitHubOAuthenticator=section))
    return await made.httpfetch(f"{url}{path}", headers=TOKEN, **more)


@pytest.mark.parametrize("to", ["/there", "there", "//HOST/there"])
async def test_what_has_moved_on_the_host_is_found(github: Site, to: str) -> None:
    host = f"{github.server.host}:{github.server.port}"
    github.leads["/here"] = to.replace("HOST", host)
    assert await ask(github, "/here") == {"token": "Bearer gho_secret"}
    github.leads["/here"] = "/there"
    answer = await ask(github, "/here", parse_json=False, raise_error=False)
    assert answer.code == 200


@pytest.mark.parametrize("raise_error", [True, False])
@pytest.mark.parametrize("path", ["/first", "/second"])
async def test_d24_no_other_host_is_asked(
    github: Site, elsewhere: Site, path: str, raise_error: bool
) -> None:
    away = str(elsewhere.server.make_url("/user"))
    github.leads |= {"/first": away, "/second": "/first"}
    with pytest.raises(HTTPClientError, match="another host"):
        await ask(github, path, parse_json=False, raise_error=raise_error)
    assert elsewhere.asked == []


async def test_a_fault_is_no_answer(github: Site) -> None:
    with pytest.raises(HTTPClientError, match="404"):
        await ask(github, "/fault", parse_json=False)


async def test_a_circle_ends(github: Site) -> None:
    github.leads["/round"] = "/round"
    with pytest.raises(HTTPClientError, match="ever another address"):
        await ask(github, "/round")
    assert len(github.asked) == 1 + MAX_REDIRECTS


class User:
    name = "octocat"

    async def get_auth_state(self) -> Any:
        token = {"access_token": "t", "token_type": "bearer"}
        return {VERIFIED_AT: time.time() - 5, "token_response": token}


RATE_LIMIT = web.HTTPForbidden(headers={"X-RateLimit-Remaining": "0"})


@pytest.mark.parametrize(
    ("answer", "stays", "code"),
    [
        (web.HTTPNoContent(), True, None),
        (web.HTTPNotFound(), False, None),
        (web.HTTPForbidden(), False, None),
        (web.HTTPBadGateway(), True, 503),
        (web.HTTPTooManyRequests(), True, 503),
        (RATE_LIMIT, True, 503),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_d11_a_fault_is_no_answer_about_members(
    answer: web.Response, stays: bool, code: int | None
) -> None:
    async def tell(request: web.Request) -> web.Response:
        return web.json_response({"id": 1, "login": "Octocat", "email": "o@x.org"})

    async def tell_membership(request: web.Request) -> web.Response:
        return web.Response(status=answer.status, headers=answer.headers)

    application = web.Application()
    application.add_routes([web.get("/api/v3/user", tell)])
    application.add_routes([web.get("/api/v3/orgs/lab/members/octocat", tell_membership)])
    async with TestServer(application) as server:
        section: dict[str, Any] = {"github_url": str(server.make_url("")).rstrip("/")}
        section |= {"client_id": "hub", "allowed_organizations": {"lab"}, "enable_auth_state": True}
        made = GitHubOAuthenticator(config=Config(GitHubOAuthenticator=section))
        assert bool(await made.refresh_user(User())) is stays
        model = {"name": "octocat", "admin": None, "auth_state": await User().get_auth_state()}
        if code is None:
            assert await made.check_allowed("octocat", model) is stays
            return
        with pytest.raises(HTTPError) as refused:
            await made.check_allowed("octocat", model)
        assert refused.value.status_code == code
