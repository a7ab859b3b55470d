"""The authenticator for headers, before a proxy is there."""

from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Config

import jhext

SECRET = "only-the-proxy-knows-this"


def made(**options: Any) -> Any:
    return jhext.HeaderAuthenticator(config=Config({"HeaderAuthenticator": options}))


@pytest.mark.parametrize("secret", ["", "short", "x" * 15])
def test_d30_without_a_secret_nobody_is_believed(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JHEXT_HEADER_SECRET", secret)
    with pytest.raises(ValueError, match="needs 16 characters"):
        made()


def test_the_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JHEXT_HEADER_SECRET", SECRET)
    assert made().secret == SECRET
    assert SECRET not in repr(made())


@pytest.mark.parametrize("network", ["10.0.3.7/24", "proxy.example.org", ""])
def test_what_is_no_network_is_a_mistake(network: str) -> None:
    with pytest.raises(TraitError, match="trusted_proxies"):
        made(secret=SECRET, trusted_proxies=[network])
