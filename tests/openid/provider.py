"""A real OpenID provider, and a browser that logs in with it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from jhext.demo.processes import Child, Children, free_port
from tests.cluster.kubernetes import lock

DATA = Path(__file__).parent / "data"
NEEDS = "needs Node 20 with npm, for the OpenID provider of the tests: apt-get install nodejs npm"


@dataclass
class OpenIdProvider:
    """The provider, and the people that it knows."""

    url: str
    people_file: Path
    child: Child
    start: Any

    def change(self, people: Mapping[str, Mapping[str, Any]]) -> None:
        """Change who there is, and what is said of them, from the next answer on."""
        self.people_file.write_text(json.dumps(people))

    def stop(self) -> None:
        """Be away."""
        self.child.stop()

    def come_back(self) -> None:
        """Be there again; nobody is logged in any more."""
        self.child = self.start()


@contextmanager
def running_provider(config: pytest.Config, folder: Path) -> Iterator[OpenIdProvider]:
    """Run a provider on loopback; its packages are installed by one process, once, and kept."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip(NEEDS)
    people = folder / "people.json"
    people.write_text("{}")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [node, str(_installed(config) / "provider.mjs"), str(port), str(people)]

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/.well-known/openid-configuration").is_success
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


async def log_in(hub: str, login: str, provider: str) -> tuple[httpx.Response, str]:
    """Log in to a hub as a browser does; give the last page, and a token if there is one."""
    async with httpx.AsyncClient(follow_redirects=True, timeout=60) as browser:
        page = await browser.get(f"{hub}/hub/oauth_login", params={"next": "/hub/home"})
        action = re.search(rf'action="({provider}[^"]+|/interaction/[^"]+)"', page.text)
        if action is None:
            return page, ""
        fields = {"prompt": "login", "login": login, "password": "any"}
        page = await browser.post(page.url.join(unescape(action[1])), data=fields)
        if not page.is_success or page.url.path != "/hub/home":
            return page, ""
        token = await browser.post(
            f"{hub}/hub/api/users/{login}/tokens",
            headers={"X-XSRFToken": _xsrf(browser), "Referer": f"{hub}/hub/home"},
            json={"note": "test"},
        )
        return page, str(token.json().get("token", ""))


def _xsrf(browser: httpx.AsyncClient) -> str:
    found = [cookie for cookie in browser.cookies.jar if cookie.name == "_xsrf"]
    return next((c.value or "" for c in found if c.path == "/hub/"), "")
