"""JupyterHub stores options before anybody has looked at them: they are looked at when used."""

from __future__ import annotations

from collections.abc import Iterator

import jupyterhub
import pytest

from jhext.demo.accounts import Account
from jhext.demo.forms import SpawnForm
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

GROUPS = ("datascience", "gpu")
ALICE = Account(name="alice", uid=2001, groups=GROUPS)
DEMOTED = ALICE.model_copy(update={"groups": ("datascience",)})
PROFILES = [
    {"slug": "small", "display_name": "Small", "allowed_groups": ["datascience"]},
    {"slug": "gpu", "display_name": "GPU", "allowed_groups": ["gpu"]},
]


@pytest.fixture(scope="module")
def hub(run_hub: RunHub) -> Bench:
    return run_hub([ALICE], {"profiles": PROFILES})


@pytest.fixture
def bench(hub: Bench) -> Iterator[Bench]:
    """The hub, with Alice as she was."""
    yield hub
    hub.change_accounts([ALICE])


async def test_d48_right_that_has_gone(bench: Bench) -> None:
    async with bench.program("alice") as program:
        await program.api("POST", "/users/alice/server", {"profile": "gpu"})
        await program.wait_for_server("alice")
        await program.stop_server("alice")

    bench.change_accounts([DEMOTED])
    async with bench.browser("alice") as browser:
        answer = await browser.api("POST", "/users/alice/server")  # as last time
        assert answer.status == 403
        assert await bench.pods("alice") == []

        page = await browser.get("/hub/spawn")
        form = SpawnForm.parse(page.text)
        assert (page.status, form.profiles, form.checked) == (200, ("small",), "small")
        assert "no longer available" in page.text
        assert "gpu" not in page.text.lower()


async def test_d48_refused_request_is_not_asked_for_again(bench: Bench) -> None:
    bench.change_accounts([DEMOTED])
    path = "/users/alice/servers/fresh"
    async with bench.browser("alice") as browser:
        assert (await browser.api("POST", path, {"profile": "gpu"})).status == 403
        assert "no longer available" not in (await browser.get("/hub/spawn/alice/fresh")).text
        assert (await browser.api("POST", path)).status in (201, 202)
        await browser.wait_for_server("alice", "fresh")
        (pod,) = await bench.pods("alice")
        assert pod["metadata"]["labels"]["jhext.io/profile"] == "small"
        await browser.stop_server("alice", "fresh")


@pytest.mark.skipif(
    jupyterhub.version_info < (6,), reason="not on JupyterHub 5: it cannot store options alone"
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_d01_options_stored_without_a_start(bench: Bench, method: str) -> None:
    bench.change_accounts([DEMOTED])
    path = f"/users/alice/servers/by-{method.lower()}"
    async with bench.program("alice") as program:
        if method == "PATCH":
            await program.api("PUT", path, {})
        answer = await program.api(method, path, {"user_options": {"profile": "gpu"}})
        assert answer.status in (200, 201), answer
        answer = await program.api("POST", path)
        assert answer.status == 403, answer
    assert await bench.pods("alice") == []
