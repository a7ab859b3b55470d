"""Who signs tokens for people: a key, and the address at which its public half is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm


def new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """An issuer of tokens, which shows its keys."""

    url: str
    key: RSAPrivateKey = field(default_factory=new_key)

    @property
    def documents(self) -> dict[str, Any]:
        jwk = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/certs",
            },
            "/certs": {"keys": [{**jwk, "kid": "first", "use": "sig", "alg": "RS256"}]},
        }

    def token(self, *, key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        """Sign claims; those that are None are left out."""
        now = int(time.time())
        said = {"iss": self.url, "iat": now, "exp": now + 300} | claims
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(
            said, self.key if key is None else key, algorithm, headers={"kid": "first"}
        )


def pem(issuer: Issuer) -> str:
    """Write the issuer's public key."""
    public = issuer.key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """Run an issuer on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(issuer.documents[self.path]).encode())

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield issuer
        server.shutdown()
        thread.join()
