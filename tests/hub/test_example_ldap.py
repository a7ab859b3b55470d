"""The example ldap, with a real OpenLDAP and homes on the file system of the nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from jhext.demo.client import HubClient
from jhext.demo.proxy import Proxy
from tests.directories.fixtures import running_slapd
from tests.directories.folders import short_folder
from tests.directories.slapd import HUB_PASSWORD
from tests.hub import directories, examples
from tests.hub.bench import Bench


@pytest.fixture(scope="module")
def nodes() -> Iterator[Path]:
    """Make the file system that the nodes have mounted."""
    with short_folder() as folder:
        for path in ("home/alice", "home/carol", "groups/lab"):
            (folder / path).mkdir(parents=True)
        yield folder


@pytest.fixture(scope="module")
def bench(proxy: Proxy, nodes: Path) -> Iterator[Bench]:
    env = {"JUPYTERHUB_CRYPT_KEY": "00" * 32, "LDAP_PASSWORD": HUB_PASSWORD}
    people = directories.POSIX_ACCOUNTS
    with running_slapd("rfc2307bis", trustme.CA()) as slapd:
        places = {
            "[ldap1.example.org, ldap2.example.org]": f"['{slapd.url}']",
            "/etc/jupyterhub/ca.pem": str(slapd.ca_file),
            "path: /home, ": "path: /nfs, ",  # where the directory of the tests has homes
            "/gpfs/": f"{nodes}/",
            "gpu: {timeout: 30m}": "gpu: {timeout: 5s}",
        }
        with examples.running_example("ldap", proxy, people, places=places, env=env) as bench:
            yield bench


async def test_groups_of_the_directory_decide(bench: Bench) -> None:
    async with bench.browser("alice") as alice, bench.browser("carol") as carol:
        assert await examples.offered(alice) == {"small", "gpu"}
        assert await examples.offered(carol) == {"small"}
        assert await examples.start(carol, "carol", "gpu") == 403
        assert await bench.pods("carol") == []


async def test_pod_is_the_persons_and_ends(bench: Bench, nodes: Path) -> None:
    async with bench.browser("alice") as alice:
        pod = await examples.pod_of(bench, alice, "alice", "gpu")
        assert await examples.culled(bench, alice, "alice") == "idle"
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (20001, 30000)
    assert set(context["supplementalGroups"]) == {100, 30001, 30002, 30003}
    assert "fsGroup" not in context
    mounts = examples.mounted(pod)
    assert mounts["/home/alice"]["hostPath"]["path"] == f"{nodes}/home/alice"
    assert mounts["/groups/lab"]["hostPath"]["path"] == f"{nodes}/groups/lab"
    assert examples.environment(pod)["HOME"] == "/home/alice"
    assert pod["metadata"]["labels"]["jhext.io/profile"] == "gpu"


async def test_nobody_else_gets_in(bench: Bench) -> None:
    """Bob has an account in the directory, and is in no group of the campus."""
    async with HubClient(bench.hub.url) as client:
        assert (await client.login("bob", "bob-pw")).status == 403
