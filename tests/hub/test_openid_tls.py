"""Login over TLS with providers of the shapes of CILogon, Keycloak and OpenShift."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from kubespawner import slugs

from jhext.demo.client import HubClient
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub
from tests.openid.provider import OpenIdProvider, certified, log_in, running_provider
from tests.releases import CILOGON_HAS_IDPS

IDPS = "idps" if CILOGON_HAS_IDPS else "allowed_idps"
INSTITUTE = "https://idp.lab.example/shibboleth"
GOOGLE = "http://google.com/accounts/o8/id"
REALM = "/realms/lab"
ROLES = "https://example.org/roles"
PROTOCOL = f"{REALM}/protocol/openid-connect"


@dataclass(frozen=True)
class Shape:
    """What one kind of provider is like, and how a hub is configured for it."""

    authenticator: str
    traits: dict[str, Any]
    people: dict[str, dict[str, Any]]
    expected: dict[str, tuple[str, set[str]]]
    """The name and the groups in the hub of who logs in."""
    refused: dict[str, int]
    """The answer to others."""
    fields: dict[str, str]
    """Where the ids are in ``auth_state``."""
    provider: dict[str, Any]


def at_cilogon(idp: str, eppn: str, **more: Any) -> dict[str, Any]:
    name = {"sub": f"http://cilogon.org/serverA/users/{eppn}", "eppn": eppn, "email": eppn}
    return {"idp": idp, **name, "isMemberOf": ["CO:COU:lab:members"], **more}


CILOGON = Shape(
    authenticator="CILogonOAuthenticator",
    traits={
        IDPS: {
            INSTITUTE: {
                "username_derivation": {
                    "username_claim": "eppn",
                    "action": "strip_idp_domain",
                    "domain": "lab.example",
                },
                "allow_all": True,
            },
            GOOGLE: {
                "username_derivation": {
                    "username_claim": "email",
                    "action": "prefix",
                    "prefix": "google",
                },
                "allowed_domains": ["uni.example"],
                "allowed_domains_claim": "eppn",
            },
        },
        "scope": ["openid", "email", "org.cilogon.userinfo", "posix"],
        "auth_state_groups_key": "cilogon_user.isMemberOf",
    },
    people={
        "ann": at_cilogon(INSTITUTE, "ann@lab.example", uid="ann", uid_number="20001"),
        "bob": at_cilogon(GOOGLE, "bob@uni.example", uid="bob", uid_number="20002"),
        "eve": at_cilogon(GOOGLE, "eve@elsewhere.example"),
        "mallory": at_cilogon("https://idp.elsewhere.example", "ann@lab.example"),
        "nobody": at_cilogon(INSTITUTE, ""),
        "listed": at_cilogon(INSTITUTE, "ann@lab.example") | {"eppn": ["ann@lab.example"]},
        "homeless": at_cilogon(GOOGLE, "") | {"email": "homeless@uni.example"},
        "nowhere": at_cilogon("", "ann@lab.example"),
    },
    expected={
        "ann": ("ann", {"CO:COU:lab:members"}),
        "bob": ("google:bob@uni.example", {"CO:COU:lab:members"}),
    },
    refused={
        "eve": 403,
        "mallory": 403,
        "nobody": 403,
        "nowhere": 403,
        "listed": 403,
        "homeless": 403,
    },
    fields={
        "username": "/cilogon_user/uid",
        "uid": "/cilogon_user/uid_number",
        "subject": "/cilogon_user/sub",
    },
    provider={
        "routes": {
            "authorization": "/authorize",
            "token": "/oauth2/token",
            "userinfo": "/oauth2/userinfo",
        }
    },
)

KEYCLOAK = Shape(
    authenticator="GenericOAuthenticator",
    traits={
        "authorize_url": f"URL{PROTOCOL}/auth",
        "token_url": f"URL{PROTOCOL}/token",
        "userdata_from_id_token": True,
        "issuer": f"URL{REALM}",
        "scope": ["openid", "profile", "groups", "roles", "posix"],
        "username_claim": "preferred_username",
        "auth_state_groups_key": "oauth_user.realm_access.roles",
        "allowed_groups": ["hub-user"],
    },
    people={
        "ann": {"realm_access": {"roles": ["hub-user", "offline_access"]}, "uid_number": 20001},
        "eve": {"realm_access": {"roles": ["offline_access"]}},
        "mallory": {"realm_access": ["hub-user"]},
        "nobody": {},
    },
    expected={"ann": ("ann", {"hub-user", "offline_access"})},
    refused={"eve": 403, "mallory": 403, "nobody": 403},
    fields={"uid": "/oauth_user/uid_number", "subject": "/oauth_user/sub"},
    provider={
        "prefix": REALM,
        "routes": {
            name: f"{PROTOCOL.removeprefix(REALM)}/{path}"
            for name, path in {
                "authorization": "auth",
                "token": "token",
                "userinfo": "userinfo",
                "jwks": "certs",
            }.items()
        },
    },
)

PATHS = Shape(
    authenticator="GenericOAuthenticator",
    traits={
        "authorize_url": f"URL{PROTOCOL}/auth",
        "token_url": f"URL{PROTOCOL}/token",
        "userdata_url": f"URL{PROTOCOL}/userinfo",
        "scope": ["openid", "profile", "groups", "posix"],
        "username_claim": "preferred_username",
        "auth_state_groups_key": "/oauth_user/https:~1~1example.org~1roles",
        "allowed_groups": ["/lab/gpu"],
    },
    people={
        "ann": {ROLES: '["/lab/gpu", "/lab"]', "uid_number": "20001"},
        "eve": {ROLES: ["/other/lab/gpu", "gpu", "lab/gpu", "/lab/gpu/", "/lab"]},
    },
    expected={"ann": ("ann", {"/lab/gpu", "/lab"})},
    refused={"eve": 403},
    fields={"uid": "/oauth_user/uid_number", "subject": "/oauth_user/sub"},
    provider=KEYCLOAK.provider,
)


def at_openshift(name: str, *groups: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": f"uid-of-{name}"}, "groups": list(groups), **more}


OPENSHIFT = Shape(
    authenticator="GenericOAuthenticator",
    traits={
        "authorize_url": "URL/oauth/authorize",
        "token_url": "URL/oauth/token",
        "userdata_url": "URL/apis/user.openshift.io/v1/users/~",
        "scope": ["user:info"],
        "username_claim": "/metadata/name",
        "subject_claim": "/metadata/uid",
        "auth_state_groups_key": "oauth_user.groups",
        "allowed_groups": ["hub-users"],
    },
    people={
        "ann": at_openshift("ann", "hub-users", "system:authenticated", uid_number=20001),
        "eve": at_openshift("eve", "system:authenticated"),
        "mallory": at_openshift("ann", "hub-users") | {"metadata": {"name": "ann", "uid": "other"}},
        "nobody": {"groups": ["hub-users"]},
    },
    expected={"ann": ("ann", {"hub-users", "system:authenticated"})},
    refused={"eve": 403, "mallory": 403, "nobody": 403},
    fields={"uid": "/oauth_user/uid_number", "subject": "/oauth_user/metadata/uid"},
    provider={"routes": {"authorization": "/oauth/authorize", "token": "/oauth/token"}},
)

SHAPES = {"CILogon": CILOGON, "Keycloak": KEYCLOAK, "paths": PATHS, "OpenShift": OPENSHIFT}


@dataclass(frozen=True)
class Login:
    """A hub, and the provider that people log in with."""

    bench: Bench
    provider: OpenIdProvider
    ca: Path
    shape: Shape

    async def of(self, login: str) -> tuple[Any, str]:
        name = self.shape.expected.get(login, (login, set()))[0]
        return await log_in(self.bench.hub.url, login, self.provider.url, self.ca, name)


def configured(
    run_hub: RunHub, provider: OpenIdProvider, shape: Shape, ca: Path, **more: Any
) -> Bench:
    traits = {
        "client_id": "hub",
        "client_secret": "local-only",
        "enable_auth_state": True,
        "manage_groups": True,
        "auth_refresh_age": 1,
        "http_request_kwargs": {"ca_certs": str(ca)},
        **shape.traits,
        **more,
    }
    if shape is CILOGON:
        traits["cilogon_host"] = provider.url.removeprefix("https://")
    name = shape.authenticator
    lines = [f"c.JupyterHub.authenticator_class = 'jhext.{name}'"]
    lines += [f"c.CryptKeeper.keys = ['{'00' * 32}']"]
    lines += [f"c.{name}.{trait} = {value!r}" for trait, value in traits.items()]
    lines += ["c.KubeSpawner.uid = 20000"]
    settings = {
        "profiles": [{"slug": "lab", "display_name": "Lab", "allow_all": True}],
        "identity": {
            "sources": [
                {"type": "auth_state", "fields": shape.fields},
                {"type": "fixed", "values": {"gid": 30000}},
            ]
        },
    }
    return run_hub([], settings, "\n".join(lines).replace("URL", provider.url))


@pytest.fixture(scope="module", params=SHAPES)
def login(
    request: pytest.FixtureRequest, run_hub: RunHub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Login]:
    shape, folder = SHAPES[request.param], tmp_path_factory.mktemp("openid")
    tls = certified(folder, trustme.CA())
    with running_provider(request.config, folder, tls, **shape.provider) as provider:
        provider.change(shape.people)
        bench = configured(run_hub, provider, shape, tls.ca)
        yield Login(bench, provider, tls.ca, shape)


async def test_people_log_in_and_their_pods_run_as_they_are(login: Login) -> None:
    for who, (name, groups) in login.shape.expected.items():
        page, token = await login.of(who)
        assert token, (page.status_code, page.text)
        async with HubClient(login.bench.hub.url, token) as program:
            model = (await program.api("GET", f"/users/{name}")).json()
            assert set(model["groups"]) == groups
            answer = await program.api("POST", f"/users/{name}/server", {"profile": "lab"})
            assert answer.status in (201, 202), answer
            await program.wait_for_server(name)
            (pod,) = await login.bench.pods(slugs.safe_slug(name))
            await program.stop_server(name)
        context = pod["spec"]["securityContext"]
        uid = int(login.shape.people[who]["uid_number"])
        assert (context["runAsUser"], context["runAsGroup"]) == (uid, 30000)


async def test_d56_d06_nobody_else_gets_in(login: Login) -> None:
    for who in login.shape.expected:
        assert (await login.of(who))[1]
    for who, status in login.shape.refused.items():
        page, token = await login.of(who)
        assert (who, page.status_code, token) == (who, status, "")


async def test_d11_who_would_not_be_let_in_any_more_starts_nothing(login: Login) -> None:
    people = login.shape.people
    left = people["eve"] | {
        name: people["ann"][name] for name in {"metadata", "uid_number"} & people["ann"].keys()
    }
    page, token = await login.of("ann")
    assert token, page.text
    try:
        login.provider.change({**people, "ann": left})
        await asyncio.sleep(2)  # a token of OpenID counts whole seconds
        async with HubClient(login.bench.hub.url, token) as program:
            answer = await program.api("POST", "/users/ann/server", {"profile": "lab"})
            assert answer.status == 403
        assert not await login.bench.pods("ann")
        assert (await login.of("ann"))[0].status_code == 403
    finally:
        login.provider.change(people)


async def test_a_certificate_of_somebody_else_is_refused_in_words(
    pytestconfig: pytest.Config, run_hub: RunHub, tmp_path: Path
) -> None:
    tls = certified(tmp_path, trustme.CA())
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    with running_provider(pytestconfig, tmp_path, tls, **CILOGON.provider) as provider:
        provider.change(CILOGON.people)
        bench = configured(run_hub, provider, CILOGON, stranger)
        page, token = await Login(bench, provider, tls.ca, CILOGON).of("ann")
    assert (page.status_code, token) == (503, "")
    assert "The identity provider does not answer" in page.text
    address = provider.url.removeprefix("https://")
    told = f"its certificate is not accepted (.*); see http_request_kwargs, at {address}"
    assert re.search(told, bench.log)
