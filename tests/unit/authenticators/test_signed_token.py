"""Signed tokens: what is believed, and what is not."""

import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from jhext.authenticators.signed_token import (
    ALGORITHMS,
    TokenRefused,
    UnknownKeyError,
    key_set,
    verify,
    verify_id_token,
)

ISSUER, CLIENT = "https://id.example.org", "hub"


def jwk(private: Any, algorithm: str, **more: Any) -> dict[str, Any]:
    family: Any = {"RS": jwt.algorithms.RSAAlgorithm, "ES": jwt.algorithms.ECAlgorithm}[
        algorithm[:2]
    ]
    return {**json.loads(family.to_jwk(private.public_key())), "use": "sig", **more}


RSA, OTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
EC = ec.generate_private_key(ec.SECP256R1())
KEYS = {"keys": [jwk(RSA, "RS256", kid="r"), jwk(EC, "ES256", kid="e")]}


def token(
    key: Any = RSA, algorithm: str = "RS256", kid: str | None = "r", ends: int = 3600, **claims: Any
) -> str:
    now = int(time.time())
    body = {"iss": ISSUER, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + ends, **claims}
    body = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(body, key, algorithm, headers={"kid": kid} if kid else {})


def check(text: Any, keys: Any = KEYS, **options: Any) -> dict[str, Any]:
    return verify_id_token(text, keys, issuer=ISSUER, audience=CLIENT, **options)


@pytest.mark.parametrize(
    "made",
    [
        {},
        {"key": EC, "algorithm": "ES256", "kid": "e"},
        {"kid": None},
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"ends": -5},
    ],
    ids=["rsa", "ec", "one key of its kind", "list", "authorized party", "clocks differ"],
)
def test_believed(made: dict[str, Any]) -> None:
    assert check(token(**made))["sub"] == "1"


def pem(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def signed_with_the_public_key() -> str:
    """The old confusion of algorithms: the public key as the secret of an HMAC."""
    key = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    head, body, _ = token().split(".")
    head = jwt.utils.base64url_encode(b'{"alg":"HS256","kid":"r"}').decode()
    signature = key.sign(f"{head}.{body}".encode(), pem(RSA).encode())
    return f"{head}.{body}.{jwt.utils.base64url_encode(signature).decode()}"


@pytest.mark.parametrize(
    "text",
    [
        token(OTHER),
        token(aud="other"),
        token(aud=[CLIENT, "other"]),
        token(aud=None),
        token(iss="https://id.example.org/"),
        token(iss=None),
        token(sub=None),
        token(exp=None),
        token(iat=None),
        token(ends=-3600),
        token(nbf=int(time.time()) + 3600),
        token(kid="unknown"),
        token("x" * 64, "HS256"),
        jwt.encode({"iss": ISSUER, "aud": CLIENT, "sub": "1"}, "", "none"),
        signed_with_the_public_key(),
        token().rsplit(".", 1)[0] + ".",
        "",
        "a.b.c",
        None,
        7,
    ],
)
def test_d30_not_believed(text: Any) -> None:
    with pytest.raises(TokenRefused) as refused:
        check(text)
    assert not text or str(text) not in str(refused.value)


@pytest.mark.parametrize(
    "keys",
    [{}, {"keys": []}, {"keys": 7}, {"keys": ["r"]}, {"keys": [{"kty": "oct", "k": "eA"}]}],
)
def test_without_keys_nothing_is_believed(keys: Any) -> None:
    with pytest.raises(UnknownKeyError):
        check(token(), keys)


def test_keys_for_encryption_sign_nothing() -> None:
    with pytest.raises(UnknownKeyError):
        check(token(), {"keys": [{**KEYS["keys"][0], "use": "enc"}]})


def test_a_key_for_one_algorithm_is_for_no_other() -> None:
    keys = {"keys": [{**KEYS["keys"][0], "alg": "RS256"}]}
    assert check(token(), keys)["sub"] == "1"
    with pytest.raises(TokenRefused):
        check(token(algorithm="PS256"), keys)


def test_of_two_keys_nobody_guesses_which() -> None:
    two = [{**jwk(key, "RS256"), "kid": "r"} for key in (RSA, OTHER)]
    with pytest.raises(UnknownKeyError):
        check(token(), {"keys": two})


def test_only_what_is_allowed() -> None:
    with pytest.raises(TokenRefused, match="not allowed"):
        check(token(), algorithms=["ES256"])


def test_what_is_no_id_token_may_be_for_several() -> None:
    text = token(aud=[CLIENT, "other"], azp="proxy")
    assert verify(text, KEYS, issuer=ISSUER, audience=CLIENT)["azp"] == "proxy"
    with pytest.raises(TokenRefused, match="somebody else"):
        verify(text, KEYS, issuer=ISSUER, audience="third")


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        *((RSA, algorithm) for algorithm in ALGORITHMS if algorithm[:2] in ("RS", "PS")),
        (EC, "ES256"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
)
@pytest.mark.parametrize("kid", [None, "any"])
def test_one_public_key_needs_no_name(key: Any, algorithm: str, kid: str | None) -> None:
    keys = key_set(pem(key))
    assert check(token(key, algorithm, kid), keys)["sub"] == "1"
    with pytest.raises(TokenRefused):
        check(token(OTHER), keys)


PRIVATE = RSA.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()


@pytest.mark.parametrize("text", ["", "secret", PRIVATE, pem(x25519.X25519PrivateKey.generate())])
def test_what_is_no_public_key_is_told_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match="public key") as wrong:
        key_set(text)
    assert not text or text not in str(wrong.value)
