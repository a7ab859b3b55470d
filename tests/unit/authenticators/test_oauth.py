"""What the mixin for oauthenticator decides without a provider."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from jupyterhub.auth import Authenticator
from jupyterhub.utils import random_port
from tornado.httpclient import HTTPClientError
from traitlets import TraitError
from traitlets.config import Config

import jhext
from jhext.authenticators.freshness import VERIFIED_AT, age_of
from jhext.authenticators.groups import groups_of
from jhext.errors import SpawnRefused

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("value", "groups"),
    [
        (["a", "b"], ["a", "b"]),
        ("admin", ["admin"]),
        ('["a", "b"]', ["a", "b"]),
        ("", []),
        ([], []),
        (["a", ""], ["a"]),
        ("a b", ["a b"]),
    ],
)
def test_groups_in_any_shape(value: Any, groups: list[str]) -> None:
    assert groups_of(value) == groups


@pytest.mark.parametrize("value", [7, None, {"a": 1}, [1], [None], [["a"]], "[1]", "[", True])
def test_what_are_no_groups(value: Any) -> None:
    with pytest.raises(ValueError, match=r"no list of names|line 1"):
        groups_of(value)


@pytest.mark.parametrize(
    ("state", "age"),
    [
        ({VERIFIED_AT: NOW - 5}, 5),
        ({VERIFIED_AT: NOW + 5}, 0),
        ({VERIFIED_AT: NOW + 3600}, float("inf")),
        ({VERIFIED_AT: "yesterday"}, float("inf")),
        ({VERIFIED_AT: True}, float("inf")),
        ({}, float("inf")),
        (None, float("inf")),
    ],
)
def test_an_age_that_nobody_knows_is_endless(state: Any, age: float) -> None:
    assert age_of(state, NOW) == age


SECTIONS: dict[str, dict[str, Any]] = {
    "CILogonOAuthenticator": {
        "idps": {"https://id.example.org": {"username_derivation": {"username_claim": "eppn"}}}
    },
    "GenericOAuthenticator": {
        "authorize_url": "https://id.example.org/auth",
        "token_url": "https://id.example.org/token",
        "userdata_url": "https://id.example.org/me",
    },
    "GitHubOAuthenticator": {},
}


def configured(name: str, **options: Any) -> Config:
    return Config({name: {"client_id": "hub"} | SECTIONS[name] | options})


def made(name: str, **options: Any) -> Any:
    return getattr(jhext, name)(config=configured(name, **options))


@pytest.mark.parametrize("name", SECTIONS)
def test_the_section_of_the_parent_configures_it_once(name: str) -> None:
    config = configured(name, outage_grace=5)
    config[name].scope.append("groups")
    authenticator = getattr(jhext, name)(config=config)
    assert isinstance(authenticator, Authenticator)
    assert authenticator.outage_grace == 5
    assert authenticator.scope.count("groups") == 1


def test_an_id_token_needs_an_issuer() -> None:
    with pytest.raises(ValueError, match="needs `issuer`"):
        made("GenericOAuthenticator", userdata_url="", userdata_from_id_token=True)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256 "])
def test_d30_secrets_sign_no_id_token(algorithm: str) -> None:
    with pytest.raises(TraitError, match="not for signatures"):
        made("GenericOAuthenticator", id_token_algorithms=[algorithm])


def test_teams_need_a_scope() -> None:
    with pytest.raises(ValueError, match="read:org"):
        made("GitHubOAuthenticator", manage_groups=True, scope=["user:email"])
    assert "read:org" in made("GitHubOAuthenticator", manage_groups=True).scope


SPAWNER = SimpleNamespace(handler=None)


class User:
    name = "ann"

    def __init__(self, state: Any) -> None:
        self._state = state

    async def get_auth_state(self) -> Any:
        return self._state


@pytest.mark.parametrize("scope", ["read:org,user:email", "read:org user:email"])
@pytest.mark.parametrize("name", ["GitHubOAuthenticator", "GenericOAuthenticator"])
async def test_scopes_are_split_as_providers_write_them(name: str, scope: str) -> None:
    token = {"access_token": "t", "token_type": "bearer", "scope": scope}
    state = await made(name).build_auth_state_dict(token, {"id": 1, "sub": "1"})
    assert state["scope"] == ["read:org", "user:email"]


@pytest.mark.parametrize(
    ("state", "limit", "confirmed", "starts"),
    [
        ({VERIFIED_AT: 0}, 0, True, True),
        (None, 0, True, True),
        ({VERIFIED_AT: 0}, 60, True, False),
        (None, 60, True, False),
        (None, 0, False, False),
    ],
)
async def test_d11_old_groups_start_nothing(
    state: Any, limit: float, confirmed: bool, starts: bool
) -> None:
    authenticator = made("GenericOAuthenticator", max_group_age=limit, enable_auth_state=True)
    authenticator.confirm("ann", confirmed)
    if starts:
        await authenticator.pre_spawn_start(User(state), SPAWNER)
        return
    with pytest.raises(SpawnRefused, match="log out and in again") as refused:
        await authenticator.pre_spawn_start(User(state), SPAWNER)
    assert refused.value.status_code == 403


def test_d11_an_age_is_bounded_only_where_it_is_kept() -> None:
    with pytest.raises(ValueError, match="needs enable_auth_state"):
        made("GenericOAuthenticator", max_group_age=60)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"refresh_token": "s3cret", "id_token": "s3cret"}, 500),
        ({"error": "invalid_grant", "error_description": "the code has expired"}, 403),
    ],
)
async def test_d24_an_answer_without_a_token_is_in_no_message(
    answer: dict[str, str], code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def give(request: web.Request) -> web.Response:
        return web.json_response(answer)

    application = web.Application()
    application.add_routes([web.post("/token", give)])
    async with TestServer(application) as server:
        authenticator = made("GenericOAuthenticator", token_url=str(server.make_url("/token")))
        with pytest.raises(HTTPClientError) as refused:
            await authenticator.get_token_info(None, {"code": "c"})
    assert refused.value.code == code
    assert "s3cret" not in f"{refused.value}{caplog.text}"


def kept(seconds_ago: float) -> dict[str, Any]:
    token = {"access_token": "t", "token_type": "bearer"}
    return {VERIFIED_AT: time.time() - seconds_ago, "token_response": token}


@pytest.mark.parametrize(("seconds_ago", "stays"), [(10, True), (50, True), (70, False)])
async def test_d11_a_provider_that_is_away_is_waited_for_so_long(
    seconds_ago: float, stays: bool
) -> None:
    nowhere = f"http://127.0.0.1:{random_port()}/me"
    authenticator = made(
        "GenericOAuthenticator", userdata_url=nowhere, enable_auth_state=True, outage_grace=60
    )
    user = User(kept(seconds_ago))
    assert await authenticator.refresh_user(user) is stays
    if stays:
        await authenticator.pre_spawn_start(user, SPAWNER)
        return
    with pytest.raises(SpawnRefused):
        await authenticator.pre_spawn_start(user, SPAWNER)


async def test_d11_an_outage_lets_nobody_in_who_was_refused() -> None:
    async def say(request: web.Request) -> web.Response:
        return web.json_response({"name": "ann", "active": False})

    application = web.Application()
    application.add_routes([web.get("/me", say)])
    async with TestServer(application) as server:
        authenticator = made(
            "GenericOAuthenticator",
            userdata_url=str(server.make_url("/me")),
            username_claim="name",
            enable_auth_state=True,
            allow_all=True,
        )
        user = User(kept(5))
        assert await authenticator.refresh_user(user) is False
    assert await authenticator.refresh_user(user) is False  # nobody answers any more
    with pytest.raises(SpawnRefused):
        await authenticator.pre_spawn_start(user, SPAWNER)


@pytest.mark.parametrize(
    ("claims", "stays"),
    [
        ({"groups": ["hub"]}, True),
        ({"groups": ["other"]}, False),
        ({"groups": ["hub"], "active": False}, False),
        ({"groups": ["hub"], "active": "false"}, False),
        ({"groups": ["hub"], "name": "bob"}, False),
        ({"groups": ["hub"], "name": ["ann"]}, False),
    ],
)
async def test_d11_who_would_not_be_let_in_any_more_is_refused(
    claims: dict[str, Any], stays: bool
) -> None:
    model = await refreshed({"name": "ann", **claims}, allowed_groups={"hub"})
    assert bool(model) is stays


async def refreshed(claims: dict[str, Any], **traits: Any) -> Any:
    """Have Ann looked up again where the provider says this of her."""

    async def say(request: web.Request) -> web.Response:
        return web.json_response(claims)

    application = web.Application()
    application.add_routes([web.get("/me", say)])
    async with TestServer(application) as server:
        authenticator = made(
            "GenericOAuthenticator",
            userdata_url=str(server.make_url("/me")),
            username_claim="name",
            enable_auth_state=True,
            manage_groups=True,
            **traits,
        )
        return await authenticator.refresh_user(User(kept(5)))


@pytest.mark.parametrize(
    "key", ["oauth_user.groups", lambda state: state["oauth_user"].get("groups")]
)
@pytest.mark.parametrize("lenient", [True, False])
@pytest.mark.parametrize(
    ("claims", "groups"),
    [
        ({}, None),
        ({"groups": None}, None),
        ({"groups": 7}, ValueError),
        ({"groups": {"a": 1}}, ValueError),
        ({"groups": []}, []),
        ({"groups": ""}, []),
        ({"groups": ["a"]}, ["a"]),
    ],
)
async def test_d11_whose_groups_nobody_knows_is_refused(
    claims: dict[str, Any], groups: Any, lenient: bool, key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Rules that block a group would let everybody past; an empty list is an answer."""
    traits = {"auth_state_groups_key": key, "allow_missing_groups": lenient, "allow_all": True}
    model = await refreshed({"name": "ann", **claims}, **traits)
    if groups is ValueError or (groups is None and not lenient):
        assert model is False
        assert "auth_state_groups_key" in caplog.text
    else:
        assert model["groups"] == (groups or [])


def test_groups_of_github_need_something_to_be_asked_for() -> None:
    none = {"populate_teams_in_auth_state": False, "populate_organizations_in_auth_state": False}
    with pytest.raises(ValueError, match="needs teams"):
        made("GitHubOAuthenticator", manage_groups=True, **none)
    made("GitHubOAuthenticator", manage_groups=True, auth_state_groups_key="x", **none)
