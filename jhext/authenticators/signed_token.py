"""Signed tokens (JWT): what they say, once their signature holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from traitlets import TraitError

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
"""Seconds by which the clocks of the hub and the issuer may differ."""


class TokenRefused(Exception):  # noqa: N818 - policy, not an error
    """A token says nothing that can be believed. The text has nothing of the token in it."""


class UnknownKeyError(TokenRefused):
    """It is signed with a key that is not among the issuer's, as far as they are known."""


def only_public(algorithms: list[str]) -> list[str]:
    """Give algorithms for signatures, which no key that verifies can make.

    Raises
    ------
    TraitError
        One is none of `ALGORITHMS`.
    """
    if wrong := set(algorithms) - set(ALGORITHMS):
        raise TraitError(f"not for signatures: {', '.join(sorted(wrong))}")
    return algorithms


def verify_id_token(
    token: Any,
    keys: Mapping[str, Any],
    *,
    issuer: str,
    audience: str,
    algorithms: Collection[str] = ALGORITHMS,
) -> dict[str, Any]:
    """Give the claims of an ID token (OpenID Connect Core 1.0, 3.1.3.7); see `verify`.

    Where it is for several, the client must be the authorized party.
    """
    claims = verify(token, keys, issuer=issuer, audience=audience, algorithms=algorithms)
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != audience:
        raise TokenRefused("it is for several, and somebody else is the authorized party")
    return claims


def verify(
    token: Any,
    keys: Mapping[str, Any],
    *,
    issuer: str,
    audience: str,
    algorithms: Collection[str] = ALGORITHMS,
) -> dict[str, Any]:
    """Give the claims of a token (RFC 7519).

    Parameters
    ----------
    token
        The token, as it came.
    keys
        The issuer's JSON Web Key Set (RFC 7517).
    issuer
        Who must have issued it, to the letter.
    audience
        For whom it must be, among others.
    algorithms
        What it may be signed with.

    Raises
    ------
    UnknownKeyError
        Its key is not among `keys`; the issuer may have a new one.
    TokenRefused
        It is none, expired, for or from somebody else, or not signed by the issuer.
    """
    try:
        header = jwt.get_unverified_header(token)
        algorithm = str(header.get("alg"))
        if algorithm not in algorithms:
            raise TokenRefused("it is signed with an algorithm that is not allowed")
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(keys, header.get("kid"), algorithm),
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefused("it has expired") from None
    except jwt.InvalidAudienceError:
        raise TokenRefused("it is for somebody else") from None
    except jwt.InvalidIssuerError:
        raise TokenRefused("it is from somebody else") from None
    except jwt.PyJWTError as error:
        raise TokenRefused(f"it cannot be used ({type(error).__name__})") from None
    return claims


def key_set(public_key: str) -> dict[str, Any]:
    """Make a JSON Web Key Set of one public key in PEM.

    Raises
    ------
    ValueError
        It is none, or not of a kind that tokens are signed with.
    """
    try:
        key = load_pem_public_key(public_key.encode())
    except ValueError:
        raise ValueError("is no public key in PEM") from None
    match key:
        case rsa.RSAPublicKey():
            return {"keys": [RSAAlgorithm.to_jwk(key, as_dict=True)]}
        case ec.EllipticCurvePublicKey():
            return {"keys": [ECAlgorithm.to_jwk(key, as_dict=True)]}
        case ed25519.Ed25519PublicKey():
            return {"keys": [OKPAlgorithm.to_jwk(key, as_dict=True)]}
    raise ValueError("is a public key that tokens are not signed with")


def _key(keys: Mapping[str, Any], kid: str | None, algorithm: str) -> jwt.PyJWK:
    """Find the key that it says it is signed with; without names there must be only one."""
    try:
        described = [_described(key, algorithm) for key in keys["keys"]]
        known = jwt.PyJWKSet.from_dict({"keys": described}).keys
    except (jwt.PyJWTError, AttributeError, KeyError, TypeError):
        raise UnknownKeyError("the issuer's keys cannot be read") from None
    usable = [key for key in known if _signs(key, algorithm)]
    named = [key for key in usable if key.key_id in (kid, None)] if kid is not None else usable
    if len(named) != 1:
        raise UnknownKeyError("it is signed with a key that is not the issuer's")
    return named[0]


def _described(key: Mapping[str, Any], algorithm: str) -> dict[str, Any]:
    """Add the algorithm to a key for all of RSA (RFC 7517, 4.4): PyJWT takes it for RS256's."""
    return {"alg": algorithm, **key} if key.get("kty") == "RSA" else dict(key)


def _signs(key: jwt.PyJWK, algorithm: str) -> bool:
    family = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}.get(algorithm[:2])
    return key.public_key_use in (None, "sig") and key.key_type == family
