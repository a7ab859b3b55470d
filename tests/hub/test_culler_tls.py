"""The culler with a hub whose parts speak only TLS with each other (``internal_ssl``)."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from jhext.culler.work import BASE_SCOPES
from jhext.demo.client import HubClient
from jhext.demo.hub import environment
from jhext.demo.processes import Children, free_port
from jhext.demo.proxy import Proxy

CONFIG = """
import sys
from pathlib import Path

import jhext

c = get_config()
jhext.configure(c, "jhext.yaml")
# Without a cluster: what is tried here is between the hub and the culler.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "homes/{username}"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser", "--allow-root"]
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "local-only"
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"ada"}
c.JupyterHub.internal_ssl = True
c.JupyterHub.internal_certs_location = str(Path("internal-ssl").absolute())  # servers are elsewhere
"""
SETTINGS = {
    "profiles": [{"display_name": "Small", "allow_all": True}],
    "culler": {"timeout": "3s", "cull_every": "1s", "users": {"bob": {"never": True}}},
}


@dataclass(frozen=True)
class TlsHub:
    folder: Path
    url: str
    own_url: str
    """Where the hub itself listens, behind the proxy."""

    @property
    def log(self) -> str:
        return (self.folder / "hub.log").read_text()


@pytest.fixture(scope="module")
def hub(proxy: Proxy) -> Iterator[TlsHub]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="jhext-tls-")))
        (folder / "homes").mkdir()
        (folder / "jhext.yaml").write_text(yaml.safe_dump(SETTINGS))
        (folder / "jupyterhub_config.py").write_text(CONFIG)
        port, own_port, api_port = free_port(), free_port(), free_port()
        command = [
            *(sys.executable, "-m", "jupyterhub", "--config=jupyterhub_config.py"),
            f"--JupyterHub.bind_url=http://127.0.0.1:{port}",
            f"--JupyterHub.hub_port={own_port}",
            f"--ConfigurableHTTPProxy.api_url=https://127.0.0.1:{api_port}",
            *(f"--ConfigurableHTTPProxy.command={word}" for word in proxy.command),
        ]
        child = stack.enter_context(Children()).start(
            "The hub", command, env=environment(), cwd=folder, log=folder / "hub.log", umask=0o077
        )
        child.wait_until(lambda: "JupyterHub is now running" in child.log.read_text(), 60)
        yield TlsHub(folder, f"http://127.0.0.1:{port}", f"https://127.0.0.1:{own_port}")


async def test_servers_are_culled_over_tls(hub: TlsHub) -> None:
    async with HubClient(hub.url) as admin:
        await admin.login("ada", "local-only")
        for name in ("alice", "bob"):
            await admin.api("POST", f"/users/{name}")
            await admin.api("POST", f"/users/{name}/server")
            await admin.wait_for_server(name)
        end = time.monotonic() + 60
        while await admin.server("alice") is not None:
            assert time.monotonic() < end, hub.log
            await asyncio.sleep(0.3)
        assert await admin.server("bob") is not None

        token = (
            await admin.api("POST", "/users/ada/tokens", {"scopes": sorted(BASE_SCOPES)})
        ).json()
        for ssl_enabled, code, printed in (
            (True, 0, "others were looked at"),
            (False, 1, "Certificate"),
        ):
            found = await dry_run(hub, token["token"], ssl_enabled)
            assert found[0] == code, found
            assert printed in found[1]


async def dry_run(hub: TlsHub, token: str, ssl_enabled: bool) -> tuple[int, str]:
    """Run the culler as somebody who is not started by the hub."""
    path = hub.folder / "outside.yaml"
    own = {"ssl_enabled": ssl_enabled, "internal_certs_location": str(hub.folder / "internal-ssl")}
    path.write_text(yaml.safe_dump({"culler": {"timeout": "1h", **own}}))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jhext.culler", "--dry-run", f"--settings={path}"),
        f"--url={hub.own_url}/hub/api",
        env={**os.environ, "JUPYTERHUB_API_TOKEN": token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()
