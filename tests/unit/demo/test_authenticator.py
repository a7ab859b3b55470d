"""Who may log in to the demo, and what the hub learns about them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from jhext.demo.accounts import Account, dump
from jhext.demo.authenticator import DemoAuthenticator

ALICE = Account(name="alice", uid=2001, groups=("a", "b"), claims={"affiliation": "staff"})
KNOWN = {
    "name": "alice",
    "admin": False,
    "groups": ["a", "b"],
    "auth_state": {"jhext": {"claims": {"affiliation": "staff"}}},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.json"
    write(path, ALICE)
    return path


def write(path: Path, *people: Account) -> None:
    path.write_bytes(dump(people))


@pytest.fixture
def authenticator(file: Path) -> DemoAuthenticator:
    return DemoAuthenticator(accounts_file=str(file))


async def log_in(authenticator: DemoAuthenticator, name: str, password: str) -> object:
    return await authenticator.authenticate(None, {"username": name, "password": password})


async def test_right_password(authenticator: DemoAuthenticator) -> None:
    found = await log_in(authenticator, "alice", ALICE.password.get_secret_value())
    assert found == KNOWN


@pytest.mark.parametrize(
    ("name", "password"), [("alice", ""), ("alice", "Ä"), ("bob", ""), ("", "")]
)
async def test_wrong_password(authenticator: DemoAuthenticator, name: str, password: str) -> None:
    assert await log_in(authenticator, name, password) is None


async def test_refresh_reads_the_file_again(authenticator: DemoAuthenticator, file: Path) -> None:
    alice = SimpleNamespace(name="alice")
    assert await authenticator.refresh_user(alice) == KNOWN
    write(file, ALICE.model_copy(update={"groups": ()}))
    assert await authenticator.refresh_user(alice) == {**KNOWN, "groups": []}
    write(file)
    assert await authenticator.refresh_user(alice) is False
