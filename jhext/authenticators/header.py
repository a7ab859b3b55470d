"""Login by an authenticating proxy, which says in headers who somebody is.

A header is a claim that anybody can make who reaches the hub, such as a person's own pod. It is
believed when it comes with proof: a secret that only the proxy has, or a token that is signed.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from jupyterhub.handlers import BaseHandler
from jupyterhub.log import log_request
from jupyterhub.utils import url_path_join
from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from jhext.identity.pointers import claim_path, find

from .active import is_active
from .freshness import VERIFIED_AT
from .header_traits import HeaderTraits
from .issuer_keys import IssuerKeys, KeysUnavailable
from .same_person import is_another_person
from .signed_token import TokenRefused, key_set, verify

Said = tuple[str, set[str], dict[str, Any]]
"""A name, the groups, and what is kept in ``auth_state``."""

CLAIMS = "claims"
"""The key of ``auth_state`` under which the claims of a signed token are kept."""


class HeaderLoginHandler(BaseHandler):  # type: ignore[misc]
    """Logs in whom the proxy vouches for; there is no form."""

    async def get(self) -> None:
        """Log in, and go on to where the person was going."""
        user = await self.login_user()
        if user is None:
            raise web.HTTPError(403, "The proxy in front of this hub does not vouch for you.")
        self.redirect(self.get_next_url(user))


class HeaderAuthenticator(HeaderTraits):
    """Believes what a proxy says in headers, when the proxy proves that it is the proxy."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check_proof()
        self._keys = IssuerKeys(self.issuer, self._fetch, self.jwks_url)

    def login_url(self, base_url: str) -> str:
        """Say where one logs in."""
        return str(url_path_join(base_url, "header_login"))

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Say who answers there, and keep the proof out of what the hub logs of requests."""
        log = app.tornado_settings.get("log_function", log_request)
        app.tornado_settings["log_function"] = partial(self._log_without_proof, log)
        return [(r"/header_login", HeaderLoginHandler)]

    def _log_without_proof(self, log: Callable[[Any], None], handler: Any) -> None:
        # JupyterHub logs all headers of a request that ends with 500. It has been answered by now.
        headers = handler.request.headers
        for name in (self.secret_header, self.jwt_header):
            if name in headers:
                headers[name] = "[secret]"
        log(handler)

    async def authenticate(self, handler: Any, data: Any = None) -> dict[str, Any] | None:
        """Log in whom the proxy vouches for, and nobody else."""
        try:
            model = await self._vouched_for(handler.request)
        except KeysUnavailable as error:
            self.log.error("The keys of %s cannot be had: %s", self.issuer, error)
            raise web.HTTPError(
                503, "The identity provider does not answer. Please try again in a few minutes."
            ) from None
        if model is not None:
            name = self.normalize_username(model["name"])
            await self.refuse_another_person(handler, {**model, "name": name})
        return model

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Take up what the proxy says now.

        Requests that did not come through it, such as those of servers, change nothing, nor do
        those of an admin who acts for the person: for these `max_group_age` is the limit. Somebody
        else's name ends the session.
        """
        header = self.jwt_header or self.user_header
        if handler is None or header not in handler.request.headers:
            return True
        if _acts_for(handler, user):
            return True
        state = await user.get_auth_state()
        try:
            model = await self._vouched_for(handler.request)
        except KeysUnavailable as error:
            self.log.warning("%s could not be refreshed: %s", user.name, error)
            return self.may_wait(user.name, state)
        except web.HTTPError:
            return False
        if model is None or self.normalize_username(model["name"]) != user.name:
            return False
        if is_another_person(model["auth_state"], state):
            return False
        self.confirm(user.name, True)
        return {**model, "name": user.name}

    async def _vouched_for(self, request: Any) -> dict[str, Any] | None:
        """Say who the proxy says it is; None where it says nothing or is not the proxy.

        Raises
        ------
        KeysUnavailable
            The keys of the token's issuer cannot be had.
        """
        if not self._is_proxy(request):
            if self.user_header in request.headers or self.jwt_header in request.headers:
                self.log.warning("Somebody says who they are, without proof")
            return None
        said = await self._from_token(request) if self.jwt_header else self._from_headers(request)
        if said is None:
            return None
        name, groups, state = said
        model: dict[str, Any] = {"name": name, "auth_state": state}
        if self.manage_groups:
            model["groups"] = sorted(groups)
            if self.admin_groups:
                is_named = self.normalize_username(name) in self.admin_users
                model["admin"] = is_named or not self.admin_groups.isdisjoint(groups)
        return model

    def _is_proxy(self, request: Any) -> bool:
        """Tell whether a request comes with the secret, and from where proxies are."""
        if self.secret:
            # Tornado writes two of them as one, with a comma in between.
            given = request.headers.get(self.secret_header, "")
            if not hmac.compare_digest(given.encode(), self.secret.encode()):
                return False
        networks = [ip_network(network) for network in self.trusted_proxies]
        return not networks or all(
            any(hop in network for network in networks if hop) for hop in known_hops(request)
        )

    def _from_headers(self, request: Any) -> Said | None:
        name = request.headers.get(self.user_header, "").strip()
        groups = request.headers.get(self.groups_header, "").split(",")
        state = {VERIFIED_AT: time.time(), "email": request.headers.get(self.email_header, "")}
        return (name, {group.strip() for group in groups} - {""}, state) if name else None

    async def _from_token(self, request: Any) -> Said | None:
        token = request.headers.get(self.jwt_header, "")

        def verified(keys: Mapping[str, Any]) -> dict[str, Any]:
            expected = {"issuer": self.issuer, "audience": self.audience}
            return verify(token, keys, algorithms=self.jwt_algorithms, **expected)

        try:
            if self.public_key:
                claims = verified(key_set(self.public_key))
            else:
                claims = await self._keys.verified(verified)
        except TokenRefused as refused:
            self.log.warning("The token in %s is refused: %s", self.jwt_header, refused)
            return None
        name = find(claims, claim_path(self.username_claim))
        if not isinstance(name, str) or not name.strip() or not is_active(claims):
            self.log.warning("The token in %s names nobody", self.jwt_header)
            return None
        state = {VERIFIED_AT: float(claims["iat"]), CLAIMS: claims, **self.subject_of(claims)}
        state["email"] = find(claims, claim_path(self.email_claim)) or ""
        return name.strip(), self._groups(claims), state

    def _groups(self, claims: Mapping[str, Any]) -> set[str]:
        if not self.manage_groups:
            return set()
        claim = find(claims, claim_path(self.groups_claim))
        return self.groups_in_claim(claim, f"groups_claim {self.groups_claim}")

    async def _fetch(self, url: str) -> Any:
        answer = await AsyncHTTPClient().fetch(HTTPRequest(url, **self.http_request_kwargs))
        return json.loads(answer.body)


def _acts_for(handler: Any, user: Any) -> bool:
    """Tell whether the request is another person's, such as an admin's who starts a server."""
    try:
        return handler.current_user is not user
    except RuntimeError:  # JupyterHub 5 does not know yet whose it is, so it is this one's
        return False


def known_hops(request: Any) -> Iterator[IPv4Address | IPv6Address | None]:
    """Give the addresses of a request that nobody can make up; None for what is none.

    Who reached the hub; and, where that is configurable-http-proxy, from where it was reached:
    it adds that address to what it was given.
    """
    written = [str((request.connection.context.address or ("",))[0])]
    if forwarded := request.headers.get("X-Forwarded-For"):
        written.append(forwarded.rpartition(",")[2].strip())
    for text in written:
        try:
            address = ip_address(text)
        except ValueError:
            yield None
        else:
            yield getattr(address, "ipv4_mapped", None) or address
