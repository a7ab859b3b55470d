"""Who may start nothing is told so, wherever they ask; and no pod is made."""

from __future__ import annotations

import pytest

from jhext.demo.accounts import Account
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

EVE = Account(name="eve", uid=2004)
PROFILES = [{"slug": "small", "display_name": "Small & fine", "allowed_groups": ["<datascience>"]}]
REASON = "There is no server you may start here"

HUBS = {
    "a list that excludes them": ({"profiles": PROFILES}, ""),
    "a callable that gives none": ({}, "c.ProfileKubeSpawner.profile_list = lambda spawner: []"),
    "a callable under allow": (
        {"hub": {"default_access": "allow"}},
        "async def none(spawner): return []\nc.KubeSpawner.profile_list = none",
    ),
}


@pytest.fixture(scope="module", params=HUBS)
def bench(run_hub: RunHub, request: pytest.FixtureRequest) -> Bench:
    settings, config = HUBS[request.param]
    return run_hub([EVE], settings, config)


async def test_d03_f01_pages(bench: Bench) -> None:
    async with bench.browser("eve") as browser:
        for answer in (
            await browser.get("/hub/spawn"),
            await browser.get("/hub/spawn?profile=small"),
            await browser.post("/hub/spawn", {}),
            await browser.post("/hub/spawn", {"profile": "small"}),
            await browser.post("/hub/spawn/eve/named", {"profile": "small"}),
        ):
            assert answer.status == 403
            assert REASON in answer.text
            assert "Small" not in answer.text
            assert "datascience" not in answer.text
    assert await bench.pods("eve") == []


@pytest.mark.parametrize("body", [None, {}, {"user_options": {}}, {"profile": "small"}])
async def test_d03_f01_rest(bench: Bench, body: object) -> None:
    async with bench.program("eve") as program:
        for path in ("/users/eve/server", "/users/eve/servers/named"):
            answer = await program.api("POST", path, body)
            assert answer.status == 403
            assert answer.json()["message"].startswith(REASON)
    assert await bench.pods("eve") == []
    assert {event["reason"] for event in bench.decisions()} == {"none_permitted"}
