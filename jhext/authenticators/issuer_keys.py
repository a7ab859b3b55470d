"""The keys of an issuer of tokens: kept for a while, and asked for again when one is unknown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from ssl import SSLCertVerificationError
from typing import Any

from tornado.httpclient import HTTPClientError

from .signed_token import UnknownKeyError

KEYS_AGE = 3600.0
"""Seconds for which keys are used without asking again."""

PAUSE = 30.0
"""Seconds between two times that they are asked for because of an unknown key."""

_PAUSE_AFTER_FAILURE = 5.0
"""Seconds in which nobody else is kept waiting for an issuer that has just not answered."""

Fetch = Callable[[str], Awaitable[Any]]
"""Gives the JSON that is at an address."""

Keys = Mapping[str, Any]


class KeysUnavailable(Exception):  # noqa: N818 - as IdentityUnavailable: nobody's mistake here
    """The issuer's keys cannot be had now."""


class IssuerKeys:
    """The JSON Web Key Set of one issuer.

    Parameters
    ----------
    issuer
        Who issues tokens, as the discovery document has it.
    fetch
        How addresses are asked.
    url
        Where the keys are; by default where the discovery document below `issuer` says.
    """

    def __init__(self, issuer: str, fetch: Fetch, url: str = "") -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._url = url
        self._keys: Keys | None = None
        self._asked = 0.0
        self._failed = -PAUSE
        self._lock = asyncio.Lock()

    async def verified(self, verify: Callable[[Keys], dict[str, Any]]) -> dict[str, Any]:
        """Give what `verify` makes of the keys, and of newer ones if it knows none of these.

        Raises
        ------
        KeysUnavailable
            The issuer does not answer, or not with keys.
        TokenRefused
            As `verify` says.
        """
        try:
            return verify(await self._newer_than(KEYS_AGE))
        except UnknownKeyError:
            return verify(await self._newer_than(PAUSE))

    async def _newer_than(self, seconds: float) -> Keys:
        async with self._lock:
            now = time.monotonic()
            if self._keys is not None and now - self._asked <= seconds:
                return self._keys
            if now - self._failed < _PAUSE_AFTER_FAILURE:
                raise KeysUnavailable("they could not be had a moment ago")
            try:
                self._keys = dict(await self._fetch(await self._address()))
            except (HTTPClientError, OSError, TimeoutError, TypeError, ValueError) as error:
                self._failed = time.monotonic()
                raise KeysUnavailable(in_words(error)) from None
            self._asked = now
            return self._keys

    async def _address(self) -> str:
        if self._url:
            return self._url
        document = await self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        match document:
            case {"issuer": self._issuer, "jwks_uri": str(url)}:
                return url
        raise ValueError("the discovery document is of another issuer, or names no keys")


def in_words(error: Exception) -> str:
    """Say why a provider could not be asked."""
    if isinstance(error, SSLCertVerificationError):
        return f"its certificate is not accepted ({error.verify_message}); see http_request_kwargs"
    return str(error) or type(error).__name__
