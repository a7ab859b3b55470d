"""What oauthenticator's authenticators lack for hubs whose pods run as people.

Groups of any shape, ID tokens that are verified, people who stay the same when their name goes to
somebody else, and a provider that may be away for a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.utils import maybe_future
from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from traitlets import List, Unicode, default, validate

from jhext.identity.pointers import claim_path, find

from .active import is_active
from .freshness import VERIFIED_AT, FreshGroups, age_of
from .groups import ClaimedGroups
from .issuer_keys import IssuerKeys, KeysUnavailable, in_words
from .same_person import SamePerson
from .signed_token import ALGORITHMS, TokenRefused, only_public, verify_id_token

_is_away: ContextVar[bool] = ContextVar("provider_is_away", default=False)
_wants_new_token: ContextVar[bool] = ContextVar("wants_new_id_token", default=False)


class IdentityOAuthenticator(FreshGroups, ClaimedGroups, SamePerson):
    """A mixin for the classes of oauthenticator; it goes before them."""

    issuer = Unicode(
        config=True,
        help="""
        Who issues ID tokens, as the provider's discovery document has it.

        Needed with `userdata_from_id_token`: the token is verified with the issuer's keys.
        """,
    )

    jwks_url = Unicode(
        config=True,
        help="""
        Where the issuer's keys are. By default where the discovery document below `issuer` says.
        """,
    )

    id_token_algorithms = List(
        Unicode(),
        list(ALGORITHMS),
        config=True,
        help="""
        What ID tokens may be signed with.

        Only algorithms with a public key: a secret that verifies could also sign.
        """,
    )

    @validate("id_token_algorithms")
    def _public_keys_only(self, proposal: Any) -> Any:
        return only_public(proposal["value"])

    @default("http_client")
    def _own_http_client(self) -> AsyncHTTPClient:
        # The client that everybody shares has ten connections; JupyterHub 5 needs them itself.
        options = {"validate_cert": self.validate_server_cert}
        return AsyncHTTPClient(force_instance=True, defaults=options)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._refreshing: dict[str, asyncio.Future[Any]] = {}
        self._keys = IssuerKeys(self.issuer, self._fetch_keys, self.jwks_url)
        if self.userdata_from_id_token and not self.issuer:
            raise ValueError(
                "userdata_from_id_token needs `issuer`, to verify the ID token: set "
                f"c.{type(self).__name__}.issuer, or leave userdata_from_id_token out and set "
                "userdata_url"
            )

    # Login

    async def authenticate(self, handler: Any, data: Any = None, **kwargs: Any) -> Any:
        """Log somebody in, unless the name is another person's here."""
        try:
            model = await super().authenticate(handler, data, **kwargs)
        except HTTPClientError as error:
            if error.code in (400, 401, 403):
                self.log.warning("A login is refused: %s", error.message)
                raise web.HTTPError(403, "The identity provider does not vouch for you.") from None
            raise self._unavailable(error) from None
        if model:
            await self.refuse_another_person(handler, model)
        return model

    def _unavailable(self, error: HTTPClientError) -> web.HTTPError:
        self.log.error("The identity provider does not answer: %s", error.message)
        return web.HTTPError(
            503, "The identity provider does not answer. Please try again in a few minutes."
        )

    # Login and refresh

    async def check_allowed(self, username: str, auth_model: Mapping[str, Any] | None) -> bool:
        """Allow whom oauthenticator allows; who cannot be asked about is not refused for good."""
        try:
            return bool(await maybe_future(super().check_allowed(username, auth_model)))
        except HTTPClientError as error:
            raise self._unavailable(error) from None

    async def get_token_info(self, handler: Any, params: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for a token; what is in an answer without one is in no message."""
        try:
            info: dict[str, Any] = await super().get_token_info(handler, params)
        except web.HTTPError as error:
            why = error.log_message if error.status_code == 403 else "no access token is given"
            raise HTTPClientError(error.status_code, why) from None
        return info

    async def token_to_user(self, token_info: Mapping[str, Any]) -> dict[str, Any]:
        """Give the claims of the person: verified, if they are from an ID token."""
        if not self.userdata_from_id_token:
            claims = await super().token_to_user(token_info)
        else:
            claims = await self._verified(token_info.get("id_token"))
        if not isinstance(claims, dict) or not is_active(claims):
            raise HTTPClientError(401, "the provider says that the account is not active")
        return claims

    async def _verified(self, id_token: Any) -> dict[str, Any]:
        expected = {"issuer": self.issuer, "audience": self.client_id}
        algorithms = self.id_token_algorithms
        verify = partial(verify_id_token, id_token, algorithms=algorithms, **expected)
        # A 401 makes upstream go on to the refresh token.
        try:
            claims = await self._keys.verified(verify)
        except TokenRefused as refused:
            raise HTTPClientError(401, f"the ID token is refused: {refused}") from None
        except KeysUnavailable as error:
            _is_away.set(True)
            raise HTTPClientError(503, f"the issuer's keys: {error}") from None
        if _wants_new_token.get() and time.time() - claims["iat"] > self.auth_refresh_age:
            _wants_new_token.set(False)
            raise HTTPClientError(401, "the ID token still says what was true at login")
        return claims

    async def _fetch_keys(self, url: str) -> Any:
        return await self.httpfetch(url, "fetching the keys")

    def user_info_to_username(self, user_info: Mapping[str, Any]) -> str:
        """Give the name of the person; what is no text is no name.

        `username_claim` may also be a JSON pointer, such as ``/metadata/name``.
        """
        claim = self.username_claim
        try:
            if isinstance(claim, str) and claim.startswith("/"):
                name = find(user_info, claim_path(claim))
            else:
                name = super().user_info_to_username(user_info)
        # What upstream says, or stumbles over, where a claim is missing or no text.
        except (AttributeError, TypeError, ValueError, web.HTTPError):
            name = None
        if not isinstance(name, str) or not name.strip():
            raise HTTPClientError(403, "the provider gives no user name")
        return name

    async def build_auth_state_dict(
        self, token_info: Mapping[str, Any], user_info: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Add the provider's id of the person, and when it was asked."""
        state: dict[str, Any] = await maybe_future(
            super().build_auth_state_dict(token_info, user_info)
        )
        scopes = state.get("scope") or []
        state["scope"] = [one for scope in scopes for one in scope.replace(",", " ").split()]
        state |= self.subject_of(user_info)
        from_token = self.userdata_from_id_token
        state[VERIFIED_AT] = float(user_info["iat"]) if from_token else time.time()
        return state

    async def get_user_groups(self, auth_state: Mapping[str, Any]) -> set[str]:
        """Give the groups: a list of names, one name, or such a list written as JSON.

        `auth_state_groups_key` may also be a JSON pointer (RFC 6901), for claims whose names have
        dots or slashes.

        Raises
        ------
        HTTPError
            403 where there are none, and `allow_missing_groups` is not set, or no such thing.
        """
        key = self.auth_state_groups_key
        found = (
            await maybe_future(key(auth_state))
            if callable(key)
            else find(auth_state, claim_path(key))
        )
        return self.groups_in_claim(found, f"auth_state_groups_key {key}")

    async def httpfetch(self, url: str, *args: Any, **kwargs: Any) -> Any:
        """Ask the provider, and remember where it does not answer."""
        try:
            answer = await super().httpfetch(url, *args, **kwargs)
            # Where errors are answers, as of GitHub's members, these say nothing all the same.
            error = getattr(answer, "error", None)
            if isinstance(error, HTTPClientError) and _says_nothing(error):
                raise error
            return answer
        except HTTPClientError as error:
            if _says_nothing(error):
                _is_away.set(True)
                raise HTTPClientError(503, f"{error.code} from the provider") from None
            raise
        except (OSError, TimeoutError, ValueError) as error:  # ValueError: what is no JSON
            _is_away.set(True)
            raise HTTPClientError(503, f"{in_words(error)}, at {urlsplit(url).netloc}") from None

    # Refresh

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Ask the provider again. It may be away for `outage_grace`; then one has to log in again.

        Who would not be let in any more has to log in again, which is refused then. Requests of one
        person that come together share an answer: a refresh token may be good for once.
        """
        name = user.name
        if name not in self._refreshing:
            asking = asyncio.ensure_future(self._refreshed(user, handler, **kwargs))
            asking.add_done_callback(lambda _: self._refreshing.pop(name))
            self._refreshing[name] = asking
        model = await asyncio.shield(self._refreshing[name])
        self.confirm(user.name, bool(model))
        return model

    async def _refreshed(self, user: Any, handler: Any, **kwargs: Any) -> Any:
        _is_away.set(False)
        state = await user.get_auth_state()
        _wants_new_token.set(isinstance(state, Mapping) and bool(state.get("refresh_token")))
        try:
            model = await super().refresh_user(user, handler, **kwargs)
        except HTTPClientError as error:
            model = False
            self.log.warning("%s could not be refreshed: %s", user.name, error.message)
        except web.HTTPError as error:
            model = False
            self.log.warning("%s could not be refreshed: %s", user.name, error.status_code)
        if not model and _is_away.get():
            age = age_of(state, time.time())
            self.log.warning(
                "The provider does not answer; %s was asked %.0f s ago", user.name, age
            )
            return self.may_wait(user.name, state)
        if not isinstance(model, Mapping):
            return model
        if model["name"] != user.name:
            self.log.warning("%s is called %s at the provider now", user.name, model["name"])
            return False
        if await self._is_still_allowed(user, model):
            return model
        return _is_away.get() and self.may_wait(user.name, state)

    async def _is_still_allowed(self, user: Any, model: Mapping[str, Any]) -> bool:
        if await maybe_future(self.check_blocked_users(user.name, model)) is False:
            return False
        try:
            return self.allow_all or bool(await maybe_future(self.check_allowed(user.name, model)))
        except web.HTTPError as error:
            _is_away.set(error.status_code == 503)
            return False


def _says_nothing(error: HTTPClientError) -> bool:
    """Tell whether the provider fails, or was asked too often (GitHub says so with a 403)."""
    if error.code >= 500 or error.code == 429:
        return True
    headers = error.response.headers if error.response is not None else {}
    return error.code == 403 and (
        headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in headers
    )
