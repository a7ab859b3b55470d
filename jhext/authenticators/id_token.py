"""ID tokens of OpenID Connect: whose they are, once their signature holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import jwt

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""What may be signed with: public keys only, so that nobody who can verify can also sign."""

LEEWAY = 30
"""Seconds by which the clocks of the hub and the provider may differ."""


class IdTokenRefused(Exception):  # noqa: N818 - policy, not an error
    """An ID token says nothing that can be believed. The text has nothing of the token in it."""


class UnknownKeyError(IdTokenRefused):
    """It is signed with a key that is not among the provider's, as far as they are known."""


def verify(
    id_token: Any,
    keys: Mapping[str, Any],
    *,
    issuer: str,
    audience: str,
    algorithms: Collection[str] = ALGORITHMS,
) -> dict[str, Any]:
    """Give the claims of an ID token (OpenID Connect Core 1.0, 3.1.3.7).

    Parameters
    ----------
    id_token
        The token, as the provider sent it.
    keys
        The provider's JSON Web Key Set (RFC 7517).
    issuer
        Who must have issued it, to the letter.
    audience
        For whom it must be: the client id. Where there are several, it must be the authorized one.
    algorithms
        What it may be signed with.

    Raises
    ------
    UnknownKeyError
        Its key is not among `keys`; the provider may have a new one.
    IdTokenRefused
        It is none, expired, somebody else's, or not signed by the provider.
    """
    try:
        header = jwt.get_unverified_header(id_token)
        algorithm = str(header.get("alg"))
        if algorithm not in algorithms:
            raise IdTokenRefused("it is signed with an algorithm that is not allowed")
        claims: dict[str, Any] = jwt.decode(
            id_token,
            _key(keys, header.get("kid"), algorithm),
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except jwt.ExpiredSignatureError:
        raise IdTokenRefused("it has expired") from None
    except jwt.InvalidAudienceError:
        raise IdTokenRefused("it is for somebody else") from None
    except jwt.InvalidIssuerError:
        raise IdTokenRefused("it is from somebody else") from None
    except jwt.PyJWTError as error:
        raise IdTokenRefused(f"it cannot be used ({type(error).__name__})") from None
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != audience:
        raise IdTokenRefused("it is for several, and somebody else is the authorized party")
    return claims


def _key(keys: Mapping[str, Any], kid: str | None, algorithm: str) -> jwt.PyJWK:
    """Find the key that it says it is signed with; without a name there must be only one."""
    try:
        usable = [key for key in jwt.PyJWKSet.from_dict(dict(keys)).keys if _signs(key, algorithm)]
    except jwt.PyJWTError:
        raise UnknownKeyError("the provider's keys cannot be read") from None
    named = [key for key in usable if key.key_id == kid] if kid is not None else usable
    if len(named) != 1:
        raise UnknownKeyError("it is signed with a key that is not the provider's")
    return named[0]


def _signs(key: jwt.PyJWK, algorithm: str) -> bool:
    family = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}.get(algorithm[:2])
    return key.public_key_use in (None, "sig") and key.key_type == family
