"""Login by an authenticating proxy, which says in headers who somebody is.

A header is a claim that anybody can make who reaches the hub, such as a person's own pod. It is
believed when it comes with proof: a secret that only the proxy has.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from jupyterhub.handlers import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web
from traitlets import Bool, List, Set, TraitError, Unicode, default, validate

from .freshness import VERIFIED_AT, FreshGroups

MIN_SECRET = 16
"""How many characters the secret has at least."""


class HeaderLoginHandler(BaseHandler):  # type: ignore[misc]
    """Logs in whom the proxy vouches for; there is no form."""

    async def get(self) -> None:
        """Log in, and go on to where the person was going."""
        user = await self.login_user()
        if user is None:
            raise web.HTTPError(403, "The proxy in front of this hub does not vouch for you.")
        self.redirect(self.get_next_url(user))


class HeaderAuthenticator(FreshGroups):
    """Believes what a proxy says in headers, when the proxy proves that it is the proxy."""

    user_header = Unicode(
        "X-Auth-Request-User", config=True, help="The header with the name of the person."
    )
    groups_header = Unicode(
        "X-Auth-Request-Groups",
        config=True,
        help="The header with the names of the groups, between commas. Read with `manage_groups`.",
    )
    email_header = Unicode(
        "X-Auth-Request-Email", config=True, help="The header with the mail address."
    )
    secret_header = Unicode(
        "X-Auth-Request-Secret", config=True, help="The header with the secret of the proxy."
    )
    secret = Unicode(
        config=True,
        help="""
        What only the proxy and the hub know, 16 characters at least.

        By default the variable `JHEXT_HEADER_SECRET`. The proxy has to set `secret_header` to it,
        and to drop what its clients send in that header and the others.
        """,
    )
    trusted_proxies = List(
        Unicode(),
        config=True,
        help="""
        Networks that the proxy is in, such as `10.0.3.0/24`; empty: anywhere.

        It is compared with the address that configurable-http-proxy was reached from. The secret
        is needed all the same.
        """,
    )
    admin_groups = Set(
        Unicode(), config=True, help="Groups whose members are admins. Needs `manage_groups`."
    )
    auto_login = Bool(True, config=True, help="Nobody is asked for a name: the proxy knows it.")

    @default("refresh_pre_spawn")
    def _default_refresh_pre_spawn(self) -> bool:
        return True

    @default("secret")
    def _default_secret(self) -> str:
        return os.environ.get("JHEXT_HEADER_SECRET", "")

    @validate("trusted_proxies")
    def _networks(self, proposal: Any) -> Any:
        for network in proposal["value"]:
            try:
                ip_network(network)
            except ValueError as error:
                raise TraitError(f"trusted_proxies: {error}") from None
        return proposal["value"]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if len(self.secret) < MIN_SECRET:
            raise ValueError(
                f"HeaderAuthenticator.secret, or JHEXT_HEADER_SECRET, needs {MIN_SECRET} characters"
            )

    def login_url(self, base_url: str) -> str:
        """Say where one logs in."""
        return str(url_path_join(base_url, "header_login"))

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Say who answers there."""
        return [(r"/header_login", HeaderLoginHandler)]

    async def authenticate(self, handler: Any, data: Any = None) -> dict[str, Any] | None:
        """Log in whom the proxy vouches for, and nobody else."""
        model = self._vouched_for(handler)
        if model is not None:
            self.confirm(self.normalize_username(model["name"]), True)
        return model

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Take up what the proxy says now.

        Requests that did not come through it, such as those of servers, change nothing: for
        these `max_group_age` is the limit. Somebody else's name ends the session.
        """
        if handler is None or self.user_header not in handler.request.headers:
            return True
        model = self._vouched_for(handler)
        if model is None or self.normalize_username(model["name"]) != user.name:
            return False
        self.confirm(user.name, True)
        return model

    def _vouched_for(self, handler: Any) -> dict[str, Any] | None:
        headers = handler.request.headers
        name = headers.get(self.user_header, "").strip()
        if not name or not self._is_proxy(handler):
            if name:
                self.log.warning("Somebody says to be %r without proof", name[:80])
            return None
        state = {VERIFIED_AT: time.time(), "email": headers.get(self.email_header, "")}
        model: dict[str, Any] = {"name": name, "auth_state": state}
        if self.manage_groups:
            groups = headers.get(self.groups_header, "").split(",")
            model["groups"] = sorted({group.strip() for group in groups} - {""})
            if self.admin_groups:
                model["admin"] = not self.admin_groups.isdisjoint(model["groups"])
        return model

    def _is_proxy(self, handler: Any) -> bool:
        """Tell whether a request comes with the secret, once, and from where the proxy is."""
        given = handler.request.headers.get_list(self.secret_header)
        if len(given) != 1 or not hmac.compare_digest(given[0].encode(), self.secret.encode()):
            return False
        if not self.trusted_proxies:
            return True
        address = _last_address(handler.request.headers)
        return any(address in ip_network(network) for network in self.trusted_proxies)


def _last_address(headers: Mapping[str, str]) -> Any:
    """Give the address that configurable-http-proxy was reached from: what it added itself."""
    last = headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        address = ip_address(last)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
