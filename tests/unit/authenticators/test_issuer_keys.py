"""The keys of an issuer: when they are asked for, and when not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jhext.authenticators import issuer_keys
from jhext.authenticators.issuer_keys import KEYS_AGE, PAUSE, IssuerKeys, KeysUnavailable
from jhext.authenticators.signed_token import UnknownKeyError

ISSUER = "https://id.example.org"


class Issuer:
    """What is at the addresses of an issuer, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.keys: Any = {"keys": ["old"]}
        self.asked: list[str] = []

    async def fetch(self, url: str) -> Any:
        self.asked.append(url)
        await asyncio.sleep(0)
        if isinstance(self.keys, Exception):
            raise self.keys
        if url.endswith("/openid-configuration"):
            return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/certs"}
        return self.keys


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Issuer:
    issuer = Issuer()
    clock = SimpleNamespace(monotonic=lambda: issuer.now)
    monkeypatch.setattr(issuer_keys, "time", clock)
    return issuer


def signed_with(kid: str) -> Callable[[Any], dict[str, Any]]:
    def verify(keys: Any) -> dict[str, Any]:
        if kid not in keys["keys"]:
            raise UnknownKeyError("unknown")
        return {"sub": kid}

    return verify


async def test_keys_are_found_and_kept_for_a_while(issuer: Issuer) -> None:
    keys = IssuerKeys(ISSUER, issuer.fetch)
    both = [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/certs"]
    for _ in range(2):
        assert await keys.verified(signed_with("old")) == {"sub": "old"}
    assert issuer.asked == both
    issuer.now += KEYS_AGE + 1
    await keys.verified(signed_with("old"))
    assert issuer.asked == both * 2


async def test_a_new_key_is_asked_for_and_an_unknown_one_not_all_the_time(issuer: Issuer) -> None:
    keys = IssuerKeys(ISSUER, issuer.fetch, f"{ISSUER}/jwks")
    await keys.verified(signed_with("old"))
    issuer.keys = {"keys": ["new"]}
    with pytest.raises(UnknownKeyError):
        await keys.verified(signed_with("new"))
    assert issuer.asked == [f"{ISSUER}/jwks"]
    issuer.now += PAUSE + 1
    assert await keys.verified(signed_with("new")) == {"sub": "new"}
    for _ in range(5):
        with pytest.raises(UnknownKeyError):
            await keys.verified(signed_with("forged"))
    assert len(issuer.asked) == 2


async def test_keys_that_were_taken_back_are_believed_no_longer_than_an_hour(
    issuer: Issuer,
) -> None:
    keys = IssuerKeys(ISSUER, issuer.fetch, f"{ISSUER}/jwks")
    await keys.verified(signed_with("old"))
    issuer.keys = OSError("no route")
    assert await keys.verified(signed_with("old"))
    issuer.now += KEYS_AGE + 1
    with pytest.raises(KeysUnavailable, match="no route"):
        await keys.verified(signed_with("old"))


async def test_one_waits_for_an_issuer_that_is_away_and_not_everybody(issuer: Issuer) -> None:
    issuer.keys = HTTPClientError(503, "away")
    keys = IssuerKeys(ISSUER, issuer.fetch, f"{ISSUER}/jwks")
    asking = (keys.verified(signed_with("old")) for _ in range(20))
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert {type(answer) for answer in answers} == {KeysUnavailable}
    assert len(issuer.asked) == 1
    issuer.keys = {"keys": ["old"]}
    issuer.now += 6
    assert await keys.verified(signed_with("old"))


@pytest.mark.parametrize("found", [None, [], "text", 7, {"issuer": "https://other.example"}])
async def test_what_are_no_keys_are_none(issuer: Issuer, found: Any) -> None:
    async def fetch(url: str) -> Any:
        return found

    with pytest.raises((KeysUnavailable, UnknownKeyError)):
        await IssuerKeys(ISSUER, fetch).verified(signed_with("old"))
