"""A person starts JupyterLab, uses it through the proxy, and stops it."""

from __future__ import annotations

import os

import pytest

from jhext.demo.accounts import Account
from jhext.demo.forms import SpawnForm
from jhext.demo.notebook import run_cell, run_in_terminal
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

ALICE = Account(name="alice", uid=2001, groups=("datascience",))
PROFILES = [
    {"slug": "small", "display_name": "Small", "allowed_groups": ["datascience"]},
    {"slug": "large", "display_name": "Large", "allowed_groups": ["gpu"]},
]


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub([ALICE], {"profiles": PROFILES}, 'c.KubeSpawner.cmd = ["jupyterhub-singleuser"]')


async def test_login_form_spawn_use_stop(bench: Bench) -> None:
    async with bench.browser("alice") as browser:
        form = SpawnForm.parse((await browser.get("/hub/spawn")).text)
        assert form.profiles == ("small",)
        assert form.checked == "small"

        assert (await browser.post("/hub/spawn", {"profile": "small"})).status == 200
        await browser.wait_for_server("alice")
        (pod,) = await bench.pods("alice")
        assert pod["status"]["phase"] == "Running"

        page = await browser.get("/user/alice/lab")
        assert page.url.path == "/user/alice/lab"
        status = await browser.request("GET", "/user/alice/api/status")
        assert status.json()["kernels"] == 0

        printed = await run_cell(browser, "/user/alice/", "import os; print(6 * 7, os.getuid())")
        assert printed.split() == ["42", str(ALICE.uid if os.geteuid() == 0 else os.getuid())]
        shown = await run_in_terminal(browser, "/user/alice/", "echo $((6*7))-", until="42-")
        assert "42-" in shown

        assert (await browser.stop_server("alice")).status in (202, 204)
        assert await bench.pods("alice") == []


async def test_wrong_password_and_stranger_are_kept_out(bench: Bench) -> None: ...
