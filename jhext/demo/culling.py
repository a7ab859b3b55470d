"""Prove that a short-lived server is culled and another one stays, each by its rule."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from .accounts import Account
from .client import HubClient
from .report import Report, expect

_BRIEF, _SECONDS = "brief", 90.0


async def check_culling(url: str, account: Account, report: Report) -> None:
    """Start both with one account at the hub behind ``url``, and look which one is left."""
    name = account.name
    async with HubClient(url) as browser:
        await browser.login(name, account.password.get_secret_value())
        token = await browser.new_token(name)
    async with HubClient(url, token) as program:
        with report.sequence():
            with report.step(f"{name} starts small, and beside it {_BRIEF}, which is short-lived"):
                await program.api("POST", f"/users/{name}/server", {"profile": "small"})
                await program.wait_for_server(name)
                path = f"/users/{name}/servers/{_BRIEF}"
                await program.api("POST", path, {"profile": _BRIEF})
                await program.wait_for_server(name, _BRIEF)
            try:
                with report.step(f"{name}'s {_BRIEF} is culled") as step:
                    step.text += f" ({(await _told(program, name, _BRIEF))['rule']})"
                    await _until_gone(program, name)
                with report.step(f"{name}'s small stays") as step:
                    expect(await program.server(name) is not None, "it was culled too")
                    step.text += f" ({(await _told(program, name))['rule']})"
            finally:
                await program.stop_server(name)


async def _told(program: HubClient, name: str, server: str = "") -> Any:
    """Return what somebody is told about the end of a server."""
    answer = await program.api("GET", f"/jhext/servers/{name}/{server}")
    expect(answer.status == 200, f"the answer was {answer.status}")
    return answer.json()


async def _until_gone(program: HubClient, name: str) -> None:
    end = time.monotonic() + _SECONDS
    while await program.server(name, _BRIEF) is not None:
        expect(time.monotonic() < end, f"it still runs after {_SECONDS:g} s")
        await asyncio.sleep(0.5)
