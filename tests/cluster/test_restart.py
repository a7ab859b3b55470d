"""A hub that ends and comes back finds its servers; what is nobody's any more is replaced."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.demo.accounts import Account
from tests.cluster.bench import STUB, STUB_ANSWER, ClusterBench, stop, until_ready
from tests.cluster.conftest import RunHub

PEOPLE = [
    Account(name="alice", uid=2001),
    Account(name="bob", uid=2002),
    Account(name="ada", uid=2003, admin=True),
]
PROFILES = [
    {
        "slug": "stub",
        "display_name": "Stub",
        "allow_all": True,
        "kubespawner_override": {"cmd": STUB},
    },
    {
        "slug": "sized",
        "display_name": "Sized",
        "allow_all": True,
        "profile_options": {
            "size": {"display_name": "Size", "choices": {"s": {"display_name": "S"}}}
        },
    },
]


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> ClusterBench:
    return run_hub(PEOPLE, {"profiles": PROFILES})


async def start_server(bench: ClusterBench, user: str, **options: str) -> dict[str, Any]:
    async with bench.program(user) as program:
        body = {"user_options": options}
        assert (await program.api("POST", f"/users/{user}/server", body)).status in (201, 202)
        await until_ready(program, user)
    (pod,) = await bench.pods(user)
    return pod


async def test_killed_hub_adopts_its_servers_with_what_was_granted(bench: ClusterBench) -> None:
    before = await start_server(bench, "alice", profile="sized", size="s")
    bench.hub.kill_hub()
    bench.hub.start_hub()
    async with bench.program("ada") as admin:
        server = await admin.server("alice")
        assert server is not None
        assert server["ready"]
        assert server["state"]["jhext"]["profile"] == "sized"
        assert server["state"]["jhext"]["choices"] == {"size": "s"}
    async with bench.browser("alice") as browser:
        assert (await browser.get("/user/alice/lab")).url.path == "/user/alice/lab"
        (after,) = await bench.pods("alice")
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        await stop(browser, "alice")
    assert await bench.pods("alice") == []


async def test_pod_of_a_lost_database_is_replaced_never_shared(bench: ClusterBench) -> None:
    orphan = await start_server(bench, "bob", profile="stub")
    bench.hub.kill_hub()
    (bench.hub.folder / "jupyterhub.sqlite").unlink()
    bench.hub.start_hub()
    pod = await start_server(bench, "bob", profile="stub")
    assert pod["metadata"]["uid"] != orphan["metadata"]["uid"]
    assert token_of(pod) != token_of(orphan)
    async with bench.browser("bob") as browser:
        assert STUB_ANSWER in (await browser.get("/user/bob/")).text


def token_of(pod: dict[str, Any]) -> str:
    environment = pod["spec"]["containers"][0]["env"]
    (token,) = [item["value"] for item in environment if item["name"] == "JUPYTERHUB_API_TOKEN"]
    return str(token)
