"""People without a server are deleted, or stay, exactly as their rules say."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from jhext.culler.work import BASE_SCOPES, USER_SCOPES
from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub
from tests.hub.test_culler import dry_run, token_for

ADA = Account(name="ada", uid=3200, admin=True)
BOSS = Account(name="boss", uid=3201, admin=True)
NAMES = ("gone", "later", "works")
PEOPLE = [Account(name=name, uid=3202 + n) for n, name in enumerate(NAMES)]
STAFF = Account(name="member", uid=3210, groups=["staff"])


SETTINGS: dict[str, Any] = {
    "profiles": [{"slug": "kept", "display_name": "Kept", "allow_all": True}],
    "culler": {
        "timeout": "3s",
        "cull_every": "1s",
        "cull_users": True,
        "cull_admin_users": False,
        "profiles": {"kept": {"never": True}},
        "groups": {"staff": {"cull_users": False}},
        "users": {"later": {"timeout": "10m"}},
    },
}


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    config = "c.DemoAuthenticator.manage_groups = True\n"
    return run_hub([ADA, BOSS, STAFF, *PEOPLE], SETTINGS, config)


async def known(admin: HubClient) -> set[str]:
    answer = await admin.api("GET", "/users")
    assert answer.status == 200, answer.text
    return {user["name"] for user in answer.json()}


async def until(condition: Callable[[set[str]], bool], admin: HubClient) -> None:
    end = time.monotonic() + 60
    while not condition(now := await known(admin)):
        assert time.monotonic() < end, now
        await asyncio.sleep(0.3)


def deleted(bench: Bench) -> list[str]:
    found = re.findall(r"cull-user (\{.*\})$", bench.log, re.MULTILINE)
    return [event["user"] for event in map(json.loads, found) if event["outcome"] == "deleted"]


async def start(bench: Bench, name: str) -> None:
    async with bench.program(name) as program:
        await program.api("POST", f"/users/{name}/server", {"profile": "kept"})
        await program.wait_for_server(name)


async def test_people_without_a_server(bench: Bench) -> None:
    """Who is idle goes; whoever has a server, a longer rule or admin's rights stays."""
    await start(bench, "works")
    for name in ("boss", "member", "later", "gone"):
        async with bench.browser(name):
            pass
    async with bench.browser("ada") as admin:
        # Nobody knows since when who never came has been idle.
        assert (await admin.api("POST", "/users/expected")).status == 201
        await until(lambda now: "gone" not in now, admin)
        async with bench.browser("gone"):  # nobody is shut out
            assert "gone" in await known(admin)
        await until(lambda now: "gone" not in now, admin)
        stays = {"ada", "boss", "member", "later", "works", "expected"}
        assert stays <= await known(admin)

        await admin.stop_server("works")
        await until(lambda now: "works" not in now, admin)
        assert stays - {"works"} <= await known(admin)
        assert not stays - {"works"} & {*deleted(bench)}
        assert deleted(bench).count("works") == 1


async def test_each_scope_that_deleting_needs(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "jhext.yaml"
    path.write_text(yaml.safe_dump(SETTINGS))
    async with bench.browser("ada") as admin:
        for missing in ("", *sorted(USER_SCOPES)):
            scopes = (BASE_SCOPES | USER_SCOPES) - {missing}
            code, printed = await dry_run(bench, await token_for(admin, sorted(scopes)), path)
            assert code == (1 if missing else 0), printed
            assert missing in printed
