"""The smallest hub of the examples runs as its folder says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from jhext.demo.proxy import Proxy
from tests.hub import examples
from tests.hub.bench import Bench

PASSWORD = "only-for-a-try"
PEOPLE = [
    Account(name=name, uid=1000, password=SecretStr(PASSWORD)) for name in ("ada", "bob", "eve")
]


@pytest.fixture(scope="module")
def bench(proxy: Proxy) -> Iterator[Bench]:
    env = {"HUB_PASSWORD": PASSWORD}
    places = {"large: {timeout: 30m}": "large: {timeout: 5s}"}
    with examples.running_example("minimal", proxy, PEOPLE, places=places, env=env) as bench:
        yield bench


async def test_who_is_in_the_group_has_more(bench: Bench) -> None:
    async with bench.browser("ada") as ada, bench.browser("bob") as bob:
        assert await examples.offered(ada) == {"small", "large"}
        assert await examples.offered(bob) == {"small"}
        assert await examples.start(bob, "bob", "large") == 403
        assert await bench.pods("bob") == []


async def test_pod_and_its_end(bench: Bench) -> None:
    async with bench.browser("ada") as ada:
        pod = await examples.pod_of(bench, ada, "ada", "large")
        assert await examples.culled(bench, ada, "ada") == "idle"
    context = pod["spec"]["securityContext"]
    assert context["fsGroup"] == 100
    (container,) = pod["spec"]["containers"]
    ids = {**context, **container["securityContext"]}
    assert (ids["runAsUser"], ids["runAsGroup"]) == (1000, 100)
    home = examples.mounted(pod)["/home/jovyan"]
    assert home["persistentVolumeClaim"]["claimName"] == "home-ada"
    assert pod["metadata"]["labels"]["jhext.io/profile"] == "large"
    assert container["resources"]["limits"] == {"cpu": "4.0", "memory": str(8 * 2**30)}


async def test_nobody_else_gets_in(bench: Bench) -> None:
    async with HubClient(bench.hub.url) as client:
        assert (await client.login("eve", PASSWORD)).status == 403
        assert (await client.login("ada", "something-else")).status == 403
