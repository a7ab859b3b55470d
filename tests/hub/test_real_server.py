"""A person starts JupyterLab, uses it through the proxy, and stops it."""

from __future__ import annotations

import pytest

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from jhext.demo.forms import SpawnForm
from jhext.demo.notebook import run_cell, run_in_terminal
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

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
        assert (form.profiles, form.checked) == (("small",), "small")

        assert (await browser.post("/hub/spawn", {"profile": "small"})).status == 200
        await browser.wait_for_server("alice")
        (pod,) = await bench.pods("alice")
        assert pod["status"]["phase"] == "Running"

        page = await browser.get("/user/alice/lab")
        assert (page.status, page.url.path) == (200, "/user/alice/lab")
        status = await browser.request("GET", "/user/alice/api/status")
        assert status.json()["kernels"] == 0

        printed = await run_cell(browser, "/user/alice/", "import os; print(6 * 7, os.getuid())")
        assert printed.split() == ["42", str(bench.uid_of_pods(ALICE.uid))]
        shown = await run_in_terminal(browser, "/user/alice/", "echo $((6*7))-", until="42-")
        assert "echo" in shown  # what was typed is shown as well

        async with HubClient(bench.hub.url) as stranger:
            page = await stranger.get("/user/alice/api/status")
            assert (page.status, page.url.path) == (403, "/user/alice/api/status")

        assert (await browser.stop_server("alice")).status in (202, 204)
    assert await bench.pods("alice") == []


@pytest.mark.parametrize("name", ["alice", "mallory"])
async def test_wrong_password(bench: Bench, name: str) -> None:
    async with HubClient(bench.hub.url) as client:
        assert (await client.login(name, "")).status == 403
        assert (await client.login(name, "wrong")).status == 403
        assert (await client.get("/hub/home")).url.path == "/hub/login"
