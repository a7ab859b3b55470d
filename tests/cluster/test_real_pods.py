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


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> ClusterBench:
    return run_hub([ALICE, EVE], {"profiles": PROFILES}, "c.KubeSpawner.delete_grace_period = 1")


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

        (pod,) = await bench.pods("alice")
        assert pod["status"]["phase"] == "Running"
        assert pod["metadata"]["labels"]["jhext.io/profile"] == "small"
        assert (await browser.get("/user/alice/lab")).url.path == "/user/alice/lab"
        printed = await run_cell(browser, "/user/alice/", "import os; print(os.environ['SIZE'])")
        assert printed.strip() == "small"

        assert (await browser.stop_server("alice")).status in (202, 204)
        assert await bench.pods("alice") == []
