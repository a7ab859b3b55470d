"""A real OpenID provider, and a browser that logs in with it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from jhext.demo.processes import Child, Children, free_port
from tests.cluster.kubernetes import lock

DATA = Path(__file__).parent / "data"
NEEDS = "needs Node 20 with npm, for the OpenID provider of the tests: apt-get install nodejs npm"


@dataclass
class OpenIdProvider:
    """The provider, and the people that it knows."""

    url: str
    """Its address; below it, or below a path there, is all that it answers."""
    people_file: Path
    child: Child
    start: Any

    def change(self, people: Mapping[str, Mapping[str, Any]]) -> None:
        """Change who there is, and what is said of them, from the next answer on."""
        self.people_file.write_text(json.dumps(people))

    def stop(self) -> None:
        """Be away."""
        self.child.stop()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Accept connections, and answer none of them."""
        self.child.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.child.process.send_signal(signal.SIGCONT)

    def come_back(self) -> None:
        """Be there again; nobody is logged in any more."""
        self.child = self.start()


@dataclass(frozen=True)
class Certified:
    """The certificate of a provider over TLS."""

    ca: Path
    certificate: Path
    key: Path


def certified(folder: Path, authority: trustme.CA) -> Certified:
    """Have an authority make a certificate for this machine."""
    made = Certified(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(str(made.ca))
    leaf = authority.issue_cert("127.0.0.1")
    leaf.cert_chain_pems[0].write_to_path(str(made.certificate))
    leaf.private_key_pem.write_to_path(str(made.key))
    return made


@contextmanager
def running_provider(
    config: pytest.Config,
    folder: Path,
    tls: Certified | None = None,
    **options: Any,
) -> Iterator[OpenIdProvider]:
    """Run a provider on loopback; its packages are installed by one process, once, and kept.

    Parameters
    ----------
    tls
        Its certificate; without one it speaks HTTP.
    options
        What else ``provider.mjs`` reads: `prefix`, `routes` and `ttl`.
    """
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip(NEEDS)
    people = folder / "people.json"
    people.write_text("{}")
    url = f"{'https' if tls else 'http'}://127.0.0.1:{free_port()}"
    options |= {"url": url, "people": str(people)}
    if tls:
        options["tls"] = {"cert": str(tls.certificate), "key": str(tls.key)}
    command = [node, str(_installed(config) / "provider.mjs"), json.dumps(options)]
    verify = ssl.create_default_context(cafile=tls.ca) if tls else True

    def answers() -> bool:
        discovery = f"{url}{options.get('prefix', '')}/.well-known/openid-configuration"
        try:
            return httpx.get(discovery, verify=verify).is_success
        except httpx.TransportError:
            return False

    with Children() as children:

        def start() -> Child:
            child = children.start("openid", command, env={}, cwd=folder, log=folder / "openid.log")
            child.wait_until(answers, 30)
            return child

        yield OpenIdProvider(url, people, start(), start)


def _installed(config: pytest.Config) -> Path:
    assert config.cache
    folder = Path(config.cache.mkdir("openid-provider"))
    with lock.alone(folder.with_suffix(".lock")):
        for name in ("package.json", "provider.mjs"):
            shutil.copy(DATA / name, folder)
        if not (folder / "node_modules/oidc-provider/package.json").exists():
            command = ["npm", "install", "--no-audit", "--no-fund", "--omit=dev"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=180)
    return folder


@asynccontextmanager
async def browsing(
    hub: str, login: str, provider: str, ca: Path | None = None
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.Response]]:
    """Log in to a hub as a browser does; give the browser, and the last page.

    Parameters
    ----------
    ca
        Whose certificates the browser accepts.
    """
    verify = ssl.create_default_context(cafile=ca) if ca else True
    async with httpx.AsyncClient(follow_redirects=True, timeout=60, verify=verify) as browser:
        page = await browser.get(f"{hub}/hub/oauth_login", params={"next": "/hub/home"})
        action = re.search(rf'action="({provider}[^"]+|/interaction/[^"]+)"', page.text)
        if action is not None:
            fields = {"prompt": "login", "login": login, "password": "any"}
            page = await browser.post(page.url.join(unescape(action[1])), data=fields)
        yield browser, page


async def log_in(
    hub: str, login: str, provider: str, ca: Path | None = None, name: str = ""
) -> tuple[httpx.Response, str]:
    """Log in as `browsing` does; give the last page, and a token if there is one.

    Parameters
    ----------
    name
        What the person is called in the hub, where that is not the login.
    """
    async with browsing(hub, login, provider, ca) as (browser, page):
        if not page.is_success or page.url.path != "/hub/home":
            return page, ""
        return page, await new_token(hub, browser, name or login)


async def new_token(hub: str, browser: httpx.AsyncClient, name: str) -> str:
    """Give a token of somebody who has logged in; empty where the hub gives none."""
    token = await browser.post(
        f"{hub}/hub/api/users/{name}/tokens",
        headers={"X-XSRFToken": _xsrf(browser), "Referer": f"{hub}/hub/home"},
        json={"note": "test"},
    )
    return str(token.json().get("token", ""))


def _xsrf(browser: httpx.AsyncClient) -> str:
    found = [cookie for cookie in browser.cookies.jar if cookie.name == "_xsrf"]
    return next((c.value or "" for c in found if c.path == "/hub/"), "")
