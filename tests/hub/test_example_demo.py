"""The files that the demo begins with run as any other configuration does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jhext.demo.accounts import demo_accounts
from jhext.demo.proxy import Proxy
from tests.hub import examples
from tests.hub.bench import Bench

OFFERED = {"alice": {"small", "medium"}, "carol": {"small"}, "ada": {"gpu", "staff"}}
HERE = """
from pathlib import Path
c.DemoAuthenticator.accounts_file = str(Path.cwd().parent / "accounts.json")
"""


@pytest.fixture(scope="module")
def bench(proxy: Proxy) -> Iterator[Bench]:
    places = {"brief: {timeout: 10s}": "small: {timeout: 5s}\n    brief: {timeout: 10s}"}
    env = {"JUPYTERHUB_CRYPT_KEY": "00" * 32}
    running = examples.running_example(
        "demo", proxy, demo_accounts(), places=places, env=env, here=HERE
    )
    with running as bench:
        yield bench


@pytest.mark.parametrize("name", OFFERED)
async def test_form_is_what_the_rules_say(bench: Bench, name: str) -> None:
    async with bench.browser(name) as browser:
        assert await examples.offered(browser) == OFFERED[name]


async def test_pod_is_the_persons_and_ends(bench: Bench) -> None:
    async with bench.browser("alice") as alice:
        assert await examples.start(alice, "alice", "gpu") == 403
        assert await bench.pods("alice") == []
        pod = await examples.pod_of(bench, alice, "alice", "small")
        assert await examples.culled(bench, alice, "alice") == "idle"
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (2001, 3000)
    assert context["supplementalGroups"] == [3001]
    mounts = examples.mounted(pod)
    assert mounts["/home/jovyan"]["persistentVolumeClaim"]["claimName"] == "claim-alice"
    shared = mounts["/home/jovyan/datascience"]["persistentVolumeClaim"]["claimName"]
    assert shared == "shared-datascience"
    assert pod["metadata"]["labels"]["jhext.io/profile"] == "small"
