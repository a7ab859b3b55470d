"""Keys of auth_state that are exchanged in a hub whose people do not log in anew meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jhext.cli import application
from jhext.crypt_keys import split
from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

STAFF = {"affiliation": "staff"}
PEOPLE = [
    Account(name="alice", uid=2301, claims=STAFF),
    Account(name="bob", uid=2302, claims=STAFF),
    Account(name="ada", uid=2303, admin=True),
]
PROFILES = [{"slug": "staff", "display_name": "Staff", "allow_if": "claims.affiliation == 'staff'"}]
CONFIG = """
c.DemoAuthenticator.enable_auth_state = True
c.DemoAuthenticator.auth_refresh_age = 0  # only logins and starts write auth_state
"""


def rotate(keys: Path) -> None:
    """Do as the guide says: what is printed takes the place of what was there."""
    asked = ["crypt-keys", "rotate", *(["--file", str(keys)] if keys.exists() else [])]
    ran = CliRunner().invoke(application(), asked)
    assert ran.exit_code == 0, ran.output
    keys.write_text(ran.stdout)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("secrets") / "crypt_keys"
    rotate(path)
    return path


@pytest.fixture(scope="module")
def bench(run_hub: RunHub, keys: Path) -> Bench:
    hub = {"crypt_keys": [{"file": str(keys)}]}
    return run_hub(PEOPLE, {"profiles": PROFILES, "hub": hub}, CONFIG)


async def test_keys_are_exchanged(bench: Bench, keys: Path) -> None:
    """Nobody notices; whoever has not been there since the key before last logs in anew."""
    tokens = {}
    for name in ("alice", "bob", "ada"):
        async with bench.browser(name) as browser:
            tokens[name] = await browser.new_token(name)
    assert await started(bench, "alice", tokens) == 201

    assert len(exchange(bench, keys)) == 2
    # What is read is written with the new key; of alice nothing is read.
    assert await started(bench, "bob", tokens) == 201

    used = exchange(bench, keys)
    assert await kept(bench, "bob", tokens)
    assert await started(bench, "bob", tokens) == 201
    assert await kept(bench, "alice", tokens) is None
    assert await started(bench, "alice", tokens) == 403
    async with bench.browser("alice"):
        pass
    assert await started(bench, "alice", tokens) == 201
    assert bench.unhandled == []
    for key in used:
        assert key not in bench.log


def exchange(bench: Bench, keys: Path) -> list[str]:
    """Rotate them in a hub that runs, which takes them at its next start."""
    rotate(keys)
    bench.hub.stop_hub()
    bench.hub.start_hub()
    return split(keys.read_text())


async def kept(bench: Bench, name: str, tokens: dict[str, str]) -> Any:
    """Give what the hub knows of somebody in auth_state."""
    async with HubClient(bench.hub.url, tokens["ada"]) as admin:
        return (await admin.api("GET", f"/users/{name}")).json()["auth_state"]


async def started(bench: Bench, name: str, tokens: dict[str, str]) -> int:
    """Start a server by a token and stop it again; give the status of the answer."""
    async with HubClient(bench.hub.url, tokens[name]) as program:
        answer = await program.api("POST", f"/users/{name}/server", {"profile": "staff"})
        if answer.status < 300:
            await program.wait_for_server(name)
            await program.stop_server(name)
            return 201
        return answer.status
