"""A person logs in, starts a server in a pod, works in it, and stops it."""

from __future__ import annotations

import json

import pytest

from jhext.demo.accounts import Account
from jhext.demo.forms import SpawnForm
from jhext.demo.notebook import run_cell
from tests.cluster.bench import ClusterBench
from tests.cluster.conftest import RunHub

ALICE = Account(name="alice", uid=2001, groups=("datascience",))
EVE = Account(name="eve", uid=2004)
PROFILES = [
    {
        "slug": "small",
        "display_name": "Small",
        "allowed_groups": ["datascience"],
        "kubespawner_override": {"mem_guarantee": "64M", "environment": {"SIZE": "small"}},
    },
    {"slug": "large", "display_name": "Large", "allowed_groups": ["gpu"]},
]
# A list that is only known when it is asked for, and that says more than it may.
CONFIG = """
c.KubeSpawner.delete_grace_period = 1
c.KubeSpawner.profile_list = lambda spawner: [
    {
        "slug": "root",
        "display_name": "Root",
        "allow_all": True,
        "kubespawner_override": {"uid": 0, "privileged": True},
    }
]
"""


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> ClusterBench:
    return run_hub([ALICE, EVE], {"profiles": PROFILES}, CONFIG)


async def test_login_form_progress_kernel_stop(bench: ClusterBench) -> None:
    async with bench.browser("alice") as browser:
        form = SpawnForm.parse((await browser.get("/hub/spawn")).text)
        assert form.profiles == ("small",)
        page = await browser.post("/hub/spawn", {"profile": "small"})
        assert page.url.path == "/hub/spawn-pending/alice"

        stream = await browser.request("GET", "/hub/api/users/alice/server/progress")
        events = [
            json.loads(line.removeprefix("data: "))
            for line in stream.text.splitlines()
            if line.startswith("data: ")
        ]
        assert events[-1]["ready"], events
        messages = [event["message"] for event in events]
        assert any("Successfully assigned" in message for message in messages)
        assert any("Started container notebook" in message for message in messages)

        assert "jupyter-alice" in bench.asked_for()
        (pod,) = await bench.pods("alice")
        assert pod["status"]["phase"] == "Running"
        assert pod["metadata"]["labels"]["jhext.io/profile"] == "small"
        assert (await browser.get("/user/alice/lab")).url.path == "/user/alice/lab"
        printed = await run_cell(browser, "/user/alice/", "import os; print(os.environ['SIZE'])")
        assert printed.strip() == "small"

        assert (await browser.stop_server("alice")).status in (202, 204)
        assert await bench.pods("alice") == []


@pytest.mark.parametrize(
    ("name", "asked"),
    [("alice", "large"), ("alice", "root"), ("alice", "none"), ("eve", "small"), ("eve", "")],
)
@pytest.mark.parametrize("door", ["form", "rest"])
async def test_refused_profile_never_reaches_the_api_server(
    bench: ClusterBench, door: str, name: str, asked: str
) -> None:
    before = bench.asked_for()
    options = {"profile": asked} if asked else {}
    if door == "form":
        async with bench.browser(name) as browser:
            answer = await browser.post("/hub/spawn", options)
    else:
        async with bench.program(name) as program:
            answer = await program.api("POST", f"/users/{name}/server", options)
    assert answer.status == 403
    assert bench.asked_for() == before
