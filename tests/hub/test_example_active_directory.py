"""The example active-directory, with a real domain controller and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import trustme

from jhext.demo.client import HubClient
from jhext.demo.proxy import Proxy
from tests import postgres
from tests.directories.fixtures import running_samba
from tests.directories.folders import short_folder
from tests.directories.samba import HUB_PASSWORD
from tests.hub import directories, examples
from tests.hub.bench import Bench

DOMAIN_USERS = 770_800_000 + 513  # of the domain of the tests, as SSSD's library says


@pytest.fixture(scope="module")
def workspace() -> Iterator[Path]:
    """Make what the image has for new homes; images are this machine's files here."""
    with short_folder() as folder:
        folder.chmod(0o755)
        (folder / "welcome.ipynb").write_text("{}")
        yield folder


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip(postgres.NEEDED)
    with postgres.running(programs) as address:
        yield postgres.new_database(address)


@pytest.fixture(scope="module")
def bench(proxy: Proxy, workspace: Path, database: str) -> Iterator[Bench]:
    url = sa.make_url(database)
    env = {
        "AD_PASSWORD": HUB_PASSWORD,
        "JUPYTERHUB_COOKIE_SECRET": "11" * 32,
        "JUPYTERHUB_CRYPT_KEY": "00" * 32,
        "JUPYTERHUB_DATABASE_PASSWORD": postgres.PASSWORD,
        "JHEXT_LEDGER_URL": database,
    }
    with running_samba(trustme.CA()) as samba:
        places = {
            "[ldaps://dc1.ad.example.org, ldaps://dc2.ad.example.org]": f"['{samba.tls_url}']",
            "[dc1.ad.example.org, dc2.ad.example.org]": f"[{samba.address}]",
            "/etc/jupyterhub/ca.pem": str(samba.ca_file),
            "ca_file: ca.pem": f"ca_file: {samba.ca_file}",
            "host: database\n": f"host: 127.0.0.1\n    port: {url.port}\n    user: hub\n"
            f"    name: {url.database}\n    drivername: postgresql+psycopg\n",
            "/opt/app-root/workspace": str(workspace),
            "project-node-selector: datascience": "kubernetes.io/os: linux",
            "notebook-gpu-type0: {timeout: 1h}": "notebook-gpu-type0: {timeout: 5s}",
        }
        people = directories.DOMAIN_ACCOUNTS
        running = examples.running_example(
            "active-directory", proxy, people, places=places, env=env
        )
        with running as bench:
            yield bench


async def test_form_is_what_the_mapping_file_and_the_groups_say(bench: Bench) -> None:
    expected = {
        "alice": {"cpu-type0", "cpu-type1", "cpu-type2", "gpu-type0"},
        "bob": {"cpu-type0", "cpu-type2", "gpu-type0"},
        "carol": {"cpu-type0", "cpu-type3"},
    }
    for name, kinds in expected.items():
        async with bench.browser(name) as browser:
            assert await examples.offered(browser) == {f"notebook-{kind}" for kind in kinds}
    async with bench.browser("carol") as carol:
        assert await examples.start(carol, "carol", "notebook-cpu-type1") == 403
        assert await bench.pods("carol") == []
        assert (await carol.api("GET", "/users/carol")).json()["admin"]


async def test_pod_is_the_persons_and_ends(bench: Bench) -> None:
    async with bench.browser("alice") as alice:
        pod = await examples.pod_of(bench, alice, "alice", "notebook-gpu-type0")
        assert await examples.culled(bench, alice, "alice") == "idle"
    context = pod["spec"]["securityContext"]
    assert context["runAsGroup"] == context["fsGroup"] == DOMAIN_USERS
    assert context["runAsUser"] > DOMAIN_USERS
    home = examples.mounted(pod)["/opt/app-root/src/PV"]
    assert home["persistentVolumeClaim"]["claimName"] == "jupyter-pvc-alice"
    assert pod["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
    keys = [toleration["key"] for toleration in pod["spec"]["tolerations"]]
    assert {"datascience-node", "nvidia.com/gpu"} <= set(keys)
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    environment = examples.environment(pod)
    assert environment["JUPYTERNB_TCUSER"] == "alice"
    assert environment["HOME"] == container["workingDir"] == "/opt/app-root/src/PV"
    files = bench.hub.kubeconfig.parent.glob("**/jupyter-pvc-alice/**/*")
    assert {path.name for path in files} >= {"workspace", "welcome.ipynb", "packages"}


async def test_sizes_have_idle_times_of_their_own(bench: Bench) -> None:
    async with bench.browser("bob") as bob:
        pod = await examples.pod_of(bench, bob, "bob", "notebook-cpu-type2")
        await bob.stop_server("bob")
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == str(64 * 2**30)
    environment = examples.environment(pod)
    assert environment["JUPYTERNB_KERNEL_TIMEOUT"] == "7200"
    assert environment["NO_ACTIVITY_TIMEOUT"] == "3600"


async def test_nobody_else_gets_in(bench: Bench) -> None:
    """Dave has an account in the domain, and is in neither group."""
    async with HubClient(bench.hub.url) as client:
        assert (await client.login("dave", "dave-pw")).status == 403
