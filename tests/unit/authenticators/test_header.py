"""The authenticator for headers, before a proxy is there."""

import ssl
import time
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
import tornado.web
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from jupyterhub.handlers import BaseHandler
from jupyterhub.log import log_request
from jupyterhub.utils import random_port
from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError
from traitlets import TraitError
from traitlets.config import Config

import jhext
from jhext.authenticators.freshness import VERIFIED_AT
from jhext.authenticators.header import known_hops
from tests.hub.issuer import Issuer, pem

SECRET = "only-the-proxy-knows-this"


def made(**options: Any) -> Any:
    return jhext.HeaderAuthenticator(config=Config({"HeaderAuthenticator": options}))


@pytest.mark.parametrize("secret", ["", "short", "x" * 15])
def test_d30_without_a_secret_nobody_is_believed(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JHEXT_HEADER_SECRET", secret)
    with pytest.raises(ValueError, match="needs 16 characters"):
        made()


def test_the_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JHEXT_HEADER_SECRET", SECRET)
    assert made().secret == SECRET
    assert SECRET not in repr(made())


@pytest.mark.parametrize("network", ["10.0.3.7/24", "proxy.example.org", ""])
def test_what_is_no_network_is_a_mistake(network: str) -> None:
    with pytest.raises(TraitError, match="trusted_proxies"):
        made(secret=SECRET, trusted_proxies=[network])


TOKEN: dict[str, Any] = {
    "jwt_header": "X-Token",
    "issuer": "https://id.example.org",
    "audience": "hub",
    "trusted_proxies": ["127.0.0.1"],
}


def of_the_proxy(**headers: str) -> Any:
    """Give a request from where the proxy is."""
    connection = SimpleNamespace(context=SimpleNamespace(address=("127.0.0.1", 5)))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(connection=connection, headers=HTTPHeaders(named))


def test_a_signed_token_is_proof_enough() -> None:
    assert made(**TOKEN).secret == ""


def test_d30_a_token_from_anywhere_is_no_proof() -> None:
    """A proxy sends people's servers the tokens of those who visit them."""
    with pytest.raises(ValueError, match="needs trusted_proxies, or a secret"):
        made(**TOKEN | {"trusted_proxies": []})
    made(**TOKEN | {"trusted_proxies": [], "secret": SECRET})


@pytest.mark.parametrize("lenient", [True, False])
@pytest.mark.parametrize("claims", [{}, {"groups": 7}, {"groups": ["gpu"]}])
async def test_d11_a_token_that_does_not_say_the_groups_is_refused(
    claims: dict[str, Any], lenient: bool
) -> None:
    issuer = Issuer(TOKEN["issuer"])
    authenticator = made(
        **TOKEN, public_key=pem(issuer), manage_groups=True, allow_missing_groups=lenient
    )
    request = of_the_proxy(
        X_Token=issuer.token(aud="hub", sub="1", preferred_username="ann", **claims)
    )
    user = SimpleNamespace(name="ann", get_auth_state=AsyncMock(return_value=None))
    handler = SimpleNamespace(request=request, find_user=lambda name: None, current_user=user)
    if "gpu" in str(claims) or (lenient and not claims):
        assert (await authenticator.authenticate(handler))["groups"] == claims.get("groups", [])
        assert (await authenticator.refresh_user(user, handler))["name"] == "ann"
        return
    with pytest.raises(HTTPError, match="which groups you are in"):
        await authenticator.authenticate(handler)
    assert await authenticator.refresh_user(user, handler) is False


@pytest.mark.parametrize("missing", ["issuer", "audience"])
def test_d30_a_token_of_anybody_for_anybody_is_none(missing: str) -> None:
    with pytest.raises(ValueError, match="needs issuer and audience"):
        made(**TOKEN | {missing: ""})


def test_d30_beside_a_token_a_secret_is_as_long() -> None:
    with pytest.raises(ValueError, match="needs 16 characters"):
        made(**TOKEN, secret="short")


@pytest.mark.parametrize(
    ("trait", "value", "told"),
    [
        ("public_key", "no key", "public_key is no public key"),
        ("jwt_algorithms", ["RS256", "HS256"], "not for signatures: HS256"),
        ("username_claim", "/a~2", "no JSON pointer"),
        ("groups_claim", "/~", "no JSON pointer"),
        ("subject_claim", "/~", "no JSON pointer"),
    ],
)
def test_mistakes_end_the_start_of_the_hub(trait: str, value: Any, told: str) -> None:
    with pytest.raises((TraitError, ValueError), match=told):
        made(**TOKEN | {trait: value})


@pytest.mark.parametrize(
    ("peer", "forwarded", "hops"),
    [
        (("10.0.0.1", 5), None, ["10.0.0.1"]),
        (("10.0.0.1", 5), "192.0.2.1, 10.0.0.2", ["10.0.0.1", "10.0.0.2"]),
        (("::ffff:10.0.0.1", 5, 0, 0), "fd00::2", ["10.0.0.1", "fd00::2"]),
        (("10.0.0.1", 5), "10.0.0.2, unknown", ["10.0.0.1", None]),
        (("10.0.0.1", 5), "10.0.0.2:80", ["10.0.0.1", None]),
        ("/run/hub.sock", None, [None]),
        (None, None, [None]),
    ],
)
def test_d30_addresses_that_nobody_can_make_up(peer: Any, forwarded: Any, hops: Any) -> None:
    headers = HTTPHeaders({"X-Forwarded-For": forwarded} if forwarded else {})
    connection = SimpleNamespace(context=SimpleNamespace(address=peer))
    request = SimpleNamespace(connection=connection, headers=headers)
    assert list(known_hops(request)) == [hop and ip_address(hop) for hop in hops]


@pytest.mark.parametrize(("seconds_ago", "stays"), [(10, True), (50, True), (70, False)])
async def test_d11_without_the_keys_of_the_issuer_grace_is_bounded(
    seconds_ago: float, stays: bool
) -> None:
    nobody = f"http://127.0.0.1:{random_port()}"
    authenticator = made(**TOKEN | {"issuer": nobody}, outage_grace=60)
    state = {VERIFIED_AT: time.time() - seconds_ago}

    async def kept() -> Any:
        return state

    user = SimpleNamespace(name="ann", get_auth_state=kept)
    handler = SimpleNamespace(request=of_the_proxy(X_Token="a.b.c"), current_user=user)
    assert await authenticator.refresh_user(user, handler) is stays


class Early:
    """A handler of JupyterHub 5 that asks for a refresh while it finds out whose request it is."""

    current_user = BaseHandler.current_user

    def __init__(self, request: Any) -> None:
        self.request = request


async def test_an_admin_who_acts_for_somebody_ends_no_session() -> None:
    """What the proxy says of the admin is nothing about the other person."""
    admin, user = (SimpleNamespace(name=name, get_auth_state=AsyncMock()) for name in ("boss", "a"))
    request = of_the_proxy(X_Auth_Request_User="boss", X_Auth_Request_Secret=SECRET)
    authenticator = made(secret=SECRET)
    acting = SimpleNamespace(request=request, current_user=admin)
    assert (await authenticator.refresh_user(admin, acting))["name"] == "boss"
    assert await authenticator.refresh_user(user, acting) is True
    theirs = SimpleNamespace(request=request, current_user=user)
    assert await authenticator.refresh_user(user, theirs) is False
    assert await authenticator.refresh_user(user, Early(request)) is False


@pytest.mark.parametrize(
    ("name", "groups", "is_admin"),
    [("ann", "admins", True), ("Boss", "lab", True), ("ann", "lab", False)],
)
async def test_admins_by_name_or_by_group(name: str, groups: str, is_admin: bool) -> None:
    authenticator = made(
        secret=SECRET, manage_groups=True, admin_groups={"admins"}, admin_users={"boss"}
    )
    said = {"X_Auth_Request_User": name, "X_Auth_Request_Groups": groups}
    request = of_the_proxy(**said, X_Auth_Request_Secret=SECRET)
    handler = SimpleNamespace(request=request, find_user=lambda _: None)
    assert (await authenticator.authenticate(handler))["admin"] is is_admin


@pytest.mark.parametrize("is_known", [True, False])
async def test_the_keys_come_from_whom_the_hub_trusts(
    is_known: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority, ca = trustme.CA(), tmp_path / "ca.pem"
    (authority if is_known else trustme.CA()).cert_pem.write_to_path(str(ca))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    issuer = Issuer(TOKEN["issuer"])

    async def certs(request: web.Request) -> web.Response:
        return web.json_response(issuer.documents["/certs"])

    application = web.Application()
    application.add_routes([web.get("/certs", certs)])
    server = TestServer(application, scheme="https")
    await server.start_server(ssl=tls)
    url = {"jwks_url": str(server.make_url("/certs"))}
    authenticator = made(**TOKEN, **url, http_request_kwargs={"ca_certs": str(ca)})
    token = issuer.token(aud="hub", sub="1", preferred_username="ann")
    handler = SimpleNamespace(request=of_the_proxy(X_Token=token), find_user=lambda name: None)
    try:
        if is_known:
            assert (await authenticator.authenticate(handler))["name"] == "ann"
            return
        with pytest.raises(HTTPError, match="does not answer"):
            await authenticator.authenticate(handler)
    finally:
        await server.close()
    assert "its certificate is not accepted (unable to get local issuer" in caplog.text


class Failing(tornado.web.RequestHandler):
    """A page with a mistake in it."""

    def get(self) -> None:
        raise ZeroDivisionError


async def test_d24_no_proof_is_in_the_log_of_a_request_that_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = SimpleNamespace(tornado_settings={"log_function": log_request})
    options = {**TOKEN, "jwt_header": "x-token"}  # names of headers have no case
    made(secret=SECRET, **options).get_handlers(app)
    port = random_port()
    server = tornado.web.Application([("/", Failing)], **app.tornado_settings).listen(
        port, "127.0.0.1"
    )
    sent = {"x-auth-request-secret": SECRET, "X-Token": "a.b.c", "x-other": "shown"}
    try:
        async with httpx.AsyncClient() as browser:
            answer = await browser.get(f"http://127.0.0.1:{port}/", headers=sent)
    finally:
        server.stop()
    assert answer.status_code == 500
    assert "shown" in caplog.text
    assert SECRET not in caplog.text
    assert "a.b.c" not in caplog.text
