"""Examples whose people log in with a real OpenID provider behind TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from jhext.demo.client import HubClient
from jhext.demo.forms import SpawnForm
from jhext.demo.processes import free_port
from jhext.demo.proxy import Proxy
from tests.hub import examples
from tests.hub.bench import Bench
from tests.openid.provider import OpenIdProvider, browsing, certified, new_token, running_provider

HUB = "https://hub.example.org"
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
    ca: Path

    @asynccontextmanager
    async def entered(self, login: str, name: str = "") -> AsyncIterator[Entered]:
        """Log in; the name is that in the hub, where it is another one."""
        hub, name = self.bench.hub.url, name or login
        async with browsing(hub, login, self.provider.url, self.ca) as (browser, page):
            assert page.url.path == "/hub/home", (page.status_code, page.text)
            form = await browser.get(f"{hub}/hub/spawn")
            assert form.is_success, form.text
            token = await new_token(hub, browser, name)
        async with HubClient(hub, token) as client:
            model = (await client.api("GET", f"/users/{name}")).json()
            profiles = set(SpawnForm.parse(form.text).profiles)
            yield Entered(client, name, profiles, set(model["groups"]), model["admin"])

    async def status_of(self, login: str) -> int:
        """Try to log in, and give the status of the last page."""
        async with browsing(self.bench.hub.url, login, self.provider.url, self.ca) as (_, page):
            return page.status_code


@contextmanager
def example_with_provider(
    name: str,
    proxy: Proxy,
    request: pytest.FixtureRequest,
    people: Mapping[str, Mapping[str, Any]],
    *,
    at: str = "https://idp.example.org",
    places: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    provider: Mapping[str, Any] | None = None,
) -> Iterator[Login]:
    """Run the hub of a folder, with a provider in the place of the one that its settings name.

    Parameters
    ----------
    people
        Whom the provider knows, by their logins.
    at
        Where the settings say that the provider is; any other place in them is one of `places`.
    provider
        What the provider is like.
    """
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    folder = factory.mktemp(name)
    tls = certified(folder, trustme.CA())
    with running_provider(request.config, folder, tls, **(provider or {})) as running:
        running.change(people)
        port = free_port()
        local = {HUB: f"http://127.0.0.1:{port}", at: running.url, **(places or {})}
        trusted = f"c.OAuthenticator.http_request_kwargs = {{'ca_certs': {str(tls.ca)!r}}}"
        with examples.running_example(
            *(name, proxy),
            places={there: here.replace("CA_FILE", str(tls.ca)) for there, here in local.items()},
            env=SECRETS | dict(env or {}),
            here=trusted,
            port=port,
        ) as bench:
            yield Login(bench, running, tls.ca)
