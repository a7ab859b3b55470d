"""Examples whose people log in with a real OpenID provider behind TLS."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import trustme

from jhext.demo.client import HubClient
from jhext.demo.forms import SpawnForm
from jhext.demo.processes import free_port
from jhext.demo.proxy import Proxy
from tests.hub import examples
from tests.hub.bench import Bench
from tests.openid.provider import (
    Certified,
    OpenIdProvider,
    browsing,
    certified,
    new_token,
    running_provider,
)

SECRETS = {"OAUTH_CLIENT_SECRET": "local-only", "JUPYTERHUB_CRYPT_KEY": "00" * 32}


@dataclass(frozen=True)
class Entered:
    """Somebody who has logged in."""

    client: HubClient
    """A program with a token of theirs."""
    name: str
    offered: set[str]
    """The profiles in the form that they are shown."""
    groups: set[str]
    admin: bool


@dataclass(frozen=True)
class Login:
    """A hub, and the provider that people log in with."""

    bench: Bench
    provider: OpenIdProvider
    tls: Certified

    @asynccontextmanager
    async def entered(self, login: str, name: str = "") -> AsyncIterator[Entered]:
        """Log in; the name is that in the hub, where it is another one."""
        hub, name = self.bench.hub.url, name or login
        async with browsing(hub, login, self.provider.url, self.tls.ca) as (browser, page):
            assert page.url.path == "/hub/home", (page.status_code, page.text)
            form = await browser.get(f"{hub}/hub/spawn")
            assert form.status_code in (200, 403), form.text
            offered = set(SpawnForm.parse(form.text).profiles) if form.is_success else set()
            token = await new_token(hub, browser, name)
        async with HubClient(hub, token) as client:
            model = (await client.api("GET", f"/users/{name}")).json()
            yield Entered(client, name, offered, set(model["groups"]), model["admin"])

    async def status_of(self, login: str) -> int:
        """Try to log in, and give the status of the last page."""
        async with browsing(self.bench.hub.url, login, self.provider.url, self.tls.ca) as (_, page):
            return page.status_code


@dataclass(frozen=True)
class Here:
    """What this machine has in the place of what a folder names."""

    provider: OpenIdProvider
    tls: Certified
    port: int
    """Where people find the hub."""

    @property
    def trusted(self) -> str:
        """A line of configuration: whose certificates the hub accepts."""
        return f"c.OAuthenticator.http_request_kwargs = {{'ca_certs': {str(self.tls.ca)!r}}}"

    def places(self, places: Mapping[str, str]) -> dict[str, str]:
        """Fill in what is here.

        ``HUB`` is where people find the hub, ``PROVIDER`` the provider's host and port, and
        ``CA_FILE`` whose certificates to accept.
        """
        words = {
            "HUB": f"http://127.0.0.1:{self.port}",
            "PROVIDER": self.provider.url.removeprefix("https://"),
            "CA_FILE": str(self.tls.ca),
        }
        return {
            there: re.sub("|".join(words), lambda word: words[word[0]], here)
            for there, here in places.items()
        }


@contextmanager
def provided(
    request: pytest.FixtureRequest,
    people: Mapping[str, Mapping[str, Any]],
    provider: Mapping[str, Any],
) -> Iterator[Here]:
    """Run a provider over TLS that knows these people, and is like that."""
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    folder = factory.mktemp("provider")
    tls = certified(folder, trustme.CA())
    with running_provider(request.config, folder, tls, **provider) as running:
        running.change(people)
        yield Here(running, tls, free_port())


@contextmanager
def example_with_provider(
    name: str,
    proxy: Proxy,
    request: pytest.FixtureRequest,
    people: Mapping[str, Mapping[str, Any]],
    *,
    places: Mapping[str, str],
    provider: Mapping[str, Any],
    env: Mapping[str, str] | None = None,
) -> Iterator[Login]:
    """Run the hub of a folder, with a provider in the place of the one that its settings name.

    Parameters
    ----------
    people
        Whom the provider knows, by their logins.
    places
        What differs from place to place, with the words of `Here.places`.
    provider
        What the provider is like.
    """
    with (
        provided(request, people, provider) as here,
        examples.running_example(
            *(name, proxy),
            places=here.places(places),
            env=SECRETS | dict(env or {}),
            here=here.trusted,
            port=here.port,
        ) as bench,
    ):
        yield Login(bench, here.provider, here.tls)
