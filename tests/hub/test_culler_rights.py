"""Whose right to a server has ended is shown to those who may see it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub
from tests.hub.test_culler import change, token_for

ADA = Account(name="ada", uid=3300, admin=True)
PEOPLE = [Account(name=name, uid=3301 + n) for n, name in enumerate(("lost", "barred", "stays"))]


def settings(*permitted: str) -> dict[str, Any]:
    profile = {"slug": "lab", "display_name": "Lab", "allowed_users": ["stays", *permitted]}
    return {"profiles": [profile], "culler": {"timeout": "1h", "cull_every": "1h"}}


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub([ADA, *PEOPLE], settings("lost", "barred"))


async def start(bench: Bench, name: str) -> None:
    async with bench.program(name) as program:
        await program.api("POST", f"/users/{name}/server", {"profile": "lab"})
        await program.wait_for_server(name)


SEES_ALL = ["list:users", "read:servers", "read:users:groups"]
NO_RULE = "no rule"


@pytest.mark.parametrize(
    ("scopes", "seen"),
    [
        (SEES_ALL, {"lost/": NO_RULE, "barred/": NO_RULE}),
        (["list:users!user=lost", *SEES_ALL[1:]], {"lost/": NO_RULE}),
        (["list:users", "read:servers!user=barred"], {"barred/": "revoked"}),
        (["list:users", "read:servers!server=lost/"], {"lost/": "revoked"}),
        ([*SEES_ALL[:2], "read:users:groups!user=lost"], {"lost/": NO_RULE, "barred/": "revoked"}),
        (["list:users"], {}),
        (["read:servers", "read:users:groups"], 403),
    ],
)
async def test_whose_right_has_ended(bench: Bench, scopes: list[str], seen: Any) -> None:
    """It shows the servers that ``GET /users`` shows with the same token, and no others."""
    change(bench, settings("lost", "barred"))
    async with bench.browser("ada") as admin:
        for name in ("lost", "barred", "stays"):
            await start(bench, name)
        change(bench, settings())
        path = "/jhext/revoked"
        end = time.monotonic() + 30
        while len(await reasons(admin, path)) < 2:
            assert time.monotonic() < end
            await asyncio.sleep(0.3)
        async with HubClient(bench.hub.url, await token_for(admin, scopes)) as program:
            answer = await program.api("GET", path)
            if seen == 403:
                assert answer.status == 403
                return
            assert await reasons(program, path) == seen
            shown = (await program.api("GET", "/users")).json()
            servers = {
                f"{user['name']}/{name}" for user in shown for name in user.get("servers", {})
            }
            assert servers >= seen.keys()


async def reasons(program: HubClient, path: str) -> dict[str, str]:
    return {item["server"]: item["reason"] for item in (await program.api("GET", path)).json()}
