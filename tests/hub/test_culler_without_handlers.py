"""A hub without our handlers: the culler reads pages, and judges rights as far as REST shows."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import pytest
import yaml

from jhext.demo.accounts import Account
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

ADA = Account(name="ada", uid=2200, admin=True)
STARTS = {
    "alice": "by-name",
    "bob": "by-group",
    "carol": "by-expression",
    "dora": "by-name",
    "erin": "quick",
    "frank": "by-group",
}
PEOPLE = [
    Account(name=name, uid=2201 + number, groups=("lab",) if profile == "by-group" else ())
    for number, (name, profile) in enumerate(STARTS.items())
]
CHART = """
c.DemoAuthenticator.manage_groups = True
c.JupyterHub.services.append({
    "name": "jupyterhub-idle-culler",
    "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=1", "--cull-every=1"],
})
c.JupyterHub.load_roles.append({
    "name": "jupyterhub-idle-culler",
    "services": ["jupyterhub-idle-culler"],
    "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
})
"""
AFTERWARDS = """
import sys
from pathlib import Path
import jhext
jhext.configure(c, Path.cwd().parent / "jhext.yaml")
"""


def settings() -> dict[str, Any]:
    profiles: list[dict[str, Any]] = [
        {"slug": "by-name", "display_name": "Name", "allowed_users": ["alice", "dora"]},
        {"slug": "by-group", "display_name": "Group", "allowed_groups": ["lab"]},
        {"slug": "by-expression", "display_name": "Expression", "allow_if": "user == 'carol'"},
        {"slug": "quick", "display_name": "Quick", "allow_all": True},
    ]
    culler = {
        "never": True,
        "cull_every": "1s",
        "revoked_after": "1s",
        "handlers": False,
        "profiles": {"quick": {"timeout": "2s"}},
    }
    return {"profiles": profiles, "culler": culler}


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub([ADA, *PEOPLE], settings(), f"import sys\n{CHART}{AFTERWARDS}")


def outcomes(bench: Bench) -> dict[str, str]:
    events = map(json.loads, re.findall(r"cull-outcome (\{.*\})$", bench.log, re.MULTILINE))
    return {it["user"]: it["detail"] for it in events if it["outcome"] in ("stopped", "stopping")}


async def until_stopped(bench: Bench, expected: dict[str, str]) -> None:
    end = time.monotonic() + 60
    while outcomes(bench) != expected:
        assert time.monotonic() < end, bench.log
        await asyncio.sleep(0.3)


async def test_rights_that_rest_shows(bench: Bench) -> None:
    async with bench.browser("ada") as admin:
        for path in ("idle", "revoked", "servers/ada/"):
            assert (await admin.api("GET", f"/jhext/{path}")).status == 404
        for name, profile in STARTS.items():
            async with bench.program(name) as program:
                await program.api("POST", f"/users/{name}/server", {"profile": profile})
                await program.wait_for_server(name)
        expected = {"erin": "profiles.quick.timeout is 2s"}
        await until_stopped(bench, expected)

        # Names and groups are shown; what an expression says now is not judged.
        written = settings()
        written["profiles"][0]["allowed_users"] = ["dora"]
        written["profiles"][2]["allow_if"] = "user == 'nobody'"
        path = bench.accounts_file.with_name("jhext.yaml")
        path.write_text(yaml.safe_dump(written))
        expected["alice"] = "the right to it has ended: no rule"
        await until_stopped(bench, expected)
        bench.change_accounts(
            account.model_copy(update={"groups": ()}) if account.name == "bob" else account
            for account in (ADA, *PEOPLE)
        )
        async with bench.browser("bob"):
            pass  # a login takes up the groups
        expected["bob"] = "the right to it has ended: no rule"
        await until_stopped(bench, expected)

        # What the hub has not read yet may be why: until its restart nobody knows of any right.
        written["hub"] = {"admin_bypass": True}
        written["profiles"][0]["allowed_users"] = []
        path.write_text(yaml.safe_dump(written))
        before = len(bench.log)
        async with bench.program("erin") as program:
            await program.api("POST", "/users/erin/server", {"profile": "quick"})
            await program.wait_for_server("erin")
        async with asyncio.timeout(60):
            while "cull-outcome" not in bench.log[before:]:  # noqa: ASYNC110 - it is a file
                await asyncio.sleep(0.3)
        assert outcomes(bench) == expected
        for name in ("carol", "dora", "frank"):
            assert await admin.server(name), name
            await admin.stop_server(name)


async def test_another_culler_is_left_out(bench: Bench) -> None:
    """With its timeout of a second, the one of the Helm chart would have stopped everybody."""
    assert "The service jupyterhub-idle-culler is left out" in bench.log
    async with bench.browser("ada") as admin:
        assert list((await admin.api("GET", "/services")).json()) == ["jhext-culler"]
