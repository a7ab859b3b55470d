"""A culler that no hub has started, with a token; the hub goes away in the middle of a pass."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from jhext.culler.work import BASE_SCOPES
from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from jhext.demo.hub import LocalHub
from jhext.demo.processes import tail
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

ADA = Account(name="ada", uid=2100, admin=True)
IDLE = [Account(name=f"idle{number}", uid=2101 + number) for number in range(5)]
KEPT = Account(name="kept", uid=2110)
PROFILES = [{"slug": "small", "display_name": "Small", "allow_all": True}]
RULES = {
    "timeout": "5s",
    "cull_every": "1s",
    "concurrency": 1,
    "users": {"kept": {"never": True}},
}


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    config = "c.JupyterHub.cleanup_servers = False"
    return run_hub([ADA, KEPT, *IDLE], {"profiles": PROFILES}, config)


@asynccontextmanager
async def culling(bench: Bench, folder: Path) -> AsyncIterator[Path]:
    """Run the culler as a program of its own; give what it prints."""
    async with bench.browser("ada") as admin:
        answer = await admin.api("POST", "/users/ada/tokens", {"scopes": sorted(BASE_SCOPES)})
        token = answer.json()["token"]
    settings, log = folder / "jhext.yaml", folder / "culler.log"
    settings.write_text(yaml.safe_dump({"culler": RULES}))
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "jhext.culler", f"--settings={settings}"),
            f"--url={bench.hub.url}/hub/api",
            env={**os.environ, "JUPYTERHUB_API_TOKEN": token},
            stdout=output,
            stderr=output,
        )
    try:
        yield log
        assert process.returncode is None, log.read_text()
    finally:
        process.terminate()
        code = await asyncio.wait_for(process.wait(), 30)
    assert code == 0, log.read_text()
    assert token not in log.read_text()


async def running(program: HubClient) -> set[str]:
    users = (await program.api("GET", "/users")).json()
    return {user["name"] for user in users if user["servers"]}


@pytest.mark.parametrize("end", [LocalHub.stop_hub, LocalHub.kill_hub])
async def test_a_hub_that_goes_away_in_a_pass(
    bench: Bench, tmp_path: Path, end: Callable[[LocalHub], None]
) -> None:
    """The process goes on, nobody is wrongly stopped, and nobody is forgotten."""
    names = {account.name for account in (*IDLE, KEPT)}
    for name in names:
        async with bench.program(name) as program:
            await program.api("POST", f"/users/{name}/server", {"profile": "small"})
            await program.wait_for_server(name)
    async with culling(bench, tmp_path) as log:
        await until(lambda: "cull-outcome" in log.read_text(), log)
        end(bench.hub)
        stopped = log.read_text().count('"outcome": "stopped"')
        assert stopped < len(IDLE), "the pass was over before"
        await until(lambda: "given up" in log.read_text() or "not stopped" in log.read_text(), log)
        bench.hub.start_hub()
        async with bench.program("ada") as admin:
            limit = time.monotonic() + 90
            while (now := await running(admin)) != {"kept"}:
                assert time.monotonic() < limit, (now, log.read_text())
                await asyncio.sleep(0.5)
            await admin.stop_server("kept")
    assert "Traceback" not in log.read_text()


async def until(condition: Callable[[], bool], log: Path) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, tail(log)
        await asyncio.sleep(0.05)
