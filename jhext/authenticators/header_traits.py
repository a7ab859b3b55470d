"""What can be configured of the authenticator for proxies, and what is no configuration."""

from __future__ import annotations

import os
from ipaddress import ip_network
from typing import Any

from traitlets import Bool, Dict, List, Set, TraitError, Unicode, default, validate

from jhext.identity.pointers import claim_path

from .freshness import FreshGroups
from .groups import ClaimedGroups
from .same_person import SamePerson
from .signed_token import ALGORITHMS, key_set, only_public

MIN_SECRET = 16
"""How many characters the secret has at least."""


class HeaderTraits(FreshGroups, ClaimedGroups, SamePerson):
    """The traits of `jhext.HeaderAuthenticator`."""

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

        By default the variable `JHEXT_HEADER_SECRET`. The proxy has to set `secret_header` to it
        where it leads to the hub, not where it leads to people's servers, and to drop what its
        clients send in that header and the others.
        """,
    )
    jwt_header = Unicode(
        config=True,
        help="""
        The header with a signed token (JWT), such as `X-Forwarded-Access-Token`.

        With it, who somebody is stands in the token's claims, and `user_header`, `groups_header`
        and `email_header` are not read. If there is a secret, too, both are needed.
        """,
    )
    issuer = Unicode(config=True, help="Who issues the tokens: their claim `iss`, to the letter.")
    audience = Unicode(
        config=True, help="For whom the tokens must be: this must be in their claim `aud`."
    )
    jwks_url = Unicode(
        config=True,
        help="""
        Where the issuer's keys are. By default where the discovery document below `issuer` says.
        """,
    )
    public_key = Unicode(
        config=True,
        help="The issuer's public key in PEM, where it has only one and never changes it.",
    )
    jwt_algorithms = List(
        Unicode(),
        list(ALGORITHMS),
        config=True,
        help="""
        What tokens may be signed with.

        Only algorithms with a public key: a secret that verifies could also sign.
        """,
    )
    username_claim = Unicode(
        "preferred_username",
        config=True,
        help="""
        The claim with the name of the person: its name, or a path to it.

        A path is written with dots, or as a JSON pointer (RFC 6901) where names have dots.
        """,
    )
    groups_claim = Unicode(
        "groups",
        config=True,
        help="The claim with the groups, as `username_claim`. Read with `manage_groups`.",
    )
    email_claim = Unicode(
        "email", config=True, help="The claim with the mail address, as `username_claim`."
    )
    http_request_kwargs = Dict(
        config=True,
        help="""
        How the issuer is asked for its keys; as in oauthenticator.

        For instance `{"ca_certs": "/etc/ssl/lab.pem"}`, for a certificate authority of one's own.
        """,
    )
    trusted_proxies = List(
        Unicode(),
        config=True,
        help="""
        Networks that proxies are in, such as `10.0.3.0/24`; empty: anywhere, with a secret.

        They are compared with the address that reached the hub, and with the one that
        configurable-http-proxy was reached from. People's servers may not be in them. The secret
        or the token is needed all the same.
        """,
    )
    admin_groups = Set(
        Unicode(),
        config=True,
        help="""
        Groups whose members are admins. Needs `manage_groups`.

        Who is in none of them, and not in `admin_users`, is no admin from the next login on.
        """,
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

    @validate("jwt_algorithms")
    def _public_keys_only(self, proposal: Any) -> Any:
        return only_public(proposal["value"])

    @validate("username_claim", "groups_claim", "email_claim")
    def _paths(self, proposal: Any) -> Any:
        claim_path(proposal["value"])
        return proposal["value"]

    @validate("public_key")
    def _a_public_key(self, proposal: Any) -> Any:
        if proposal["value"]:
            try:
                key_set(proposal["value"])
            except ValueError as error:
                raise TraitError(f"public_key {error}") from None
        return proposal["value"]

    def check_proof(self) -> None:
        """See that somebody can prove to be the proxy.

        Raises
        ------
        ValueError
            There is neither a secret nor a token, or it could not be verified, or come from
            anywhere.
        """
        if (self.secret or not self.jwt_header) and len(self.secret) < MIN_SECRET:
            raise ValueError(
                f"HeaderAuthenticator.secret, or JHEXT_HEADER_SECRET, needs {MIN_SECRET} "
                "characters; or set jwt_header, where the proxy sends a signed token"
            )
        if self.jwt_header and not (self.issuer and self.audience):
            raise ValueError("HeaderAuthenticator.jwt_header needs issuer and audience")
        if self.jwt_header and not (self.secret or self.trusted_proxies):
            raise ValueError(
                "HeaderAuthenticator.jwt_header needs trusted_proxies, or a secret: a proxy sends "
                "the tokens of visitors to people's servers, too, which could log in with them"
            )
