"""A full home in a real hub: said in the form, refused at every door but one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from jhext.demo.accounts import Account
from jhext.demo.processes import free_port
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

FULL, ROOMY = Account(name="full", uid=2301), Account(name="roomy", uid=2302)
GIB = 2**30
USED = {"full": GIB, "roomy": GIB // 2}


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def bench(run_hub: RunHub, port: int) -> Bench:
    settings: dict[str, Any] = {
        "profiles": [
            {"slug": "lab", "display_name": "Lab", "allow_all": True},
            {"slug": "rescue", "display_name": "Make room", "allow_all": True},
        ],
        "storage": {
            "home": {"source": {"type": "empty_dir"}},
            "quota": {
                "url": f"http://127.0.0.1:{port}/homes/{{username}}",
                "allow_http": True,
                "used": "/used",
                "limit": "/limit",
                "rescue_profile": "rescue",
            },
        },
    }
    return run_hub([FULL, ROOMY], settings)


@pytest.fixture
async def service(port: int) -> AsyncIterator[None]:
    async def serve(request: web.Request) -> web.Response:
        return web.json_response({"used": USED[request.match_info["name"]], "limit": GIB})

    application = web.Application()
    application.router.add_get("/homes/{name}", serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    yield
    await runner.cleanup()


@pytest.mark.usefixtures("service")
async def test_full_home_is_told_before_the_start(bench: Bench) -> None:
    told = "Your home is full, nothing is left. To make room, start "
    async with bench.browser("full") as browser:
        assert f"{told}&quot;Make room&quot;." in (await browser.get("/hub/spawn")).text
        refused = await browser.post("/hub/spawn", {"profile": "lab"})
        assert told in refused.text
    async with bench.program("full") as program:
        answer = await program.api("POST", "/users/full/server", {"profile": "lab"})
        assert (answer.status, answer.json()["message"]) == (409, f'{told}"Make room".')
        assert await bench.pods("full") == []
        await program.api("POST", "/users/full/server", {"profile": "rescue"})
        await program.wait_for_server("full")
        await program.stop_server("full")


@pytest.mark.usefixtures("service")
async def test_others_start_as_ever(bench: Bench) -> None:
    async with bench.browser("roomy") as browser:
        assert "Your home is full" not in (await browser.get("/hub/spawn")).text
        await browser.post("/hub/spawn", {"profile": "lab"})
        await browser.wait_for_server("roomy")
        await browser.stop_server("roomy")


async def test_service_that_is_gone_stops_nobody(bench: Bench) -> None:
    async with bench.program("roomy") as program:
        await program.api("POST", "/users/roomy/server", {"profile": "lab"})
        await program.wait_for_server("roomy")
        await program.stop_server("roomy")
