"""An API server that is away for a minute: what people read meanwhile, and that it ends."""

from __future__ import annotations

import asyncio
import time

from jhext.demo.accounts import Account
from tests.cluster.bench import STUB, STUB_ANSWER, start
from tests.cluster.conftest import RunHub
from tests.cluster.kubernetes.kubeconfig import Node
from tests.cluster.line import Line

PEOPLE = [Account(name=name, uid=2001) for name in ("bob", "carol")]
PROFILES = [{"slug": "small", "display_name": "Small", "allow_all": True}]
CONFIG = f"c.KubeSpawner.cmd = {STUB}"
# KubeSpawner's watches give up after 51 s without an answer.
AWAY_SECONDS = 55


async def test_api_server_away_for_a_minute(run_hub: RunHub, node: Node) -> None:
    line = Line(node.url)
    bench = run_hub(PEOPLE, {"profiles": PROFILES}, CONFIG, line)
    async with line, bench.browser("bob") as bob, bench.browser("carol") as carol:
        assert await start(bob, "bob", "small") == ""
        await line.cut()
        away = time.monotonic()
        assert "The cluster does not answer" in await start(carol, "carol", "small")
        assert (await carol.get("/hub/health")).status == 200
        assert STUB_ANSWER in (await bob.get("/user/bob/")).text
        await asyncio.sleep(AWAY_SECONDS - (time.monotonic() - away))
        await line.mend()
        assert await start(carol, "carol", "small") == ""
        await carol.stop_server("carol")
        assert await bench.pods("carol") == []
