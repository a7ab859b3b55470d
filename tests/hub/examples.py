"""Real hubs that run what a folder of example_configs says, each on an embedded cluster."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from asyncio import sleep
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jhext.demo.accounts import Account
from jhext.demo.client import Answer, HubClient
from jhext.demo.forms import SpawnForm
from jhext.demo.processes import Children
from jhext.demo.proxy import Proxy
from tests.hub.bench import Bench, start_configured

EXAMPLES = Path(__file__).parents[2] / "example_configs"
SETTINGS = "jhext.yaml"
MOUNTED = "/etc/jupyterhub"
"""Where the pod of the hub has the files of the folder."""


@contextmanager
def running_example(
    name: str,
    proxy: Proxy,
    people: Iterable[Account] = (),
    *,
    places: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    here: str = "",
    port: int = 0,
) -> Iterator[Bench]:
    """
    Run a hub with the ``jupyterhub_config.py`` of a folder as it is.

    Parameters
    ----------
    name
        The folder.
    people
        Who can log in, for ``Bench.browser`` to know their passwords.
    places
        What differs from place to place in ``jhext.yaml``, and what it is here. Each must occur.
    env
        The secrets that the configuration asks for.
    here
        Lines of Python that follow: what this machine lacks or has elsewhere.
    port
        Where people find it, for whom the configuration tells; by default anywhere.
    """
    # not below pytest's own folder, which root keeps from the uids of the pods
    with TemporaryDirectory(prefix="jhext-hub-") as made, Children() as children:
        folder = Path(made)
        folder.chmod(0o711)
        copy = folder / "example"
        shutil.copytree(EXAMPLES / name, copy)
        put_in_place(copy / SETTINGS, places or {})
        config = (
            f"load_subconfig({str(copy / 'jupyterhub_config.py')!r})\n{stand_in(folder)}{here}\n"
        )
        yield start_configured(children, folder, proxy, people, config, env or {}, port)


def put_in_place(settings: Path, places: Mapping[str, str]) -> None:
    """Replace what differs from place to place, the folder of the ConfigMap at last."""
    text = settings.read_text()
    for there, here in places.items():
        assert there in text, f"{there!r} is not in {settings.name} any more"
        text = text.replace(there, here)
    settings.write_text(text.replace(MOUNTED, str(settings.parent)))


def stand_in(folder: Path) -> str:
    """Say what this machine has in the place of a cluster's Services and images."""
    return f"""
c.JupyterHub.hub_connect_ip = ""
c.KubeSpawner.cmd = {[sys.executable, str(folder / "stub_server.py")]!r}
c.KubeSpawner.delete_grace_period = 1
"""


async def offered(browser: HubClient) -> set[str]:
    """Read from the form which profiles somebody may pick."""
    page = await browser.get("/hub/spawn")
    assert page.status == 200, page
    return set(SpawnForm.parse(page.text).profiles)


async def ask(client: HubClient, name: str, profile: str, **options: str) -> Answer:
    """Ask for a server."""
    return await client.api("POST", f"/users/{name}/server", {"profile": profile, **options})


async def start(client: HubClient, name: str, profile: str, **options: str) -> int:
    """Ask for a server, and give the status of the answer."""
    return (await ask(client, name, profile, **options)).status


async def pod_of(bench: Bench, client: HubClient, name: str, profile: str, **options: str) -> Any:
    """Start a server, and give its pod as the cluster has it."""
    answer = await ask(client, name, profile, **options)
    assert answer.status in (201, 202), answer
    await client.wait_for_server(name)
    (pod,) = await bench.pods(name)
    return pod


def mounted(pod: Any) -> dict[str, dict[str, Any]]:
    """Give the volumes of the notebook's container, by where it sees them."""
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    mounts = pod["spec"]["containers"][0]["volumeMounts"]
    return {mount["mountPath"]: volumes[mount["name"]] | mount for mount in mounts}


def environment(pod: Any) -> dict[str, Any]:
    """Give the variables of the notebook's container."""
    return {item["name"]: item.get("value") for item in pod["spec"]["containers"][0]["env"]}


async def culled(bench: Bench, client: HubClient, name: str, seconds: float = 60) -> str:
    """Wait until a server is stopped, and give the culler's reason."""
    end = time.monotonic() + seconds
    while await client.server(name) is not None or not (found := _culled(bench, name)):
        assert time.monotonic() < end, bench.log
        await sleep(0.3)
    return found


def _culled(bench: Bench, name: str) -> str:
    told = re.findall(r"cull-outcome (\{.*\})$", bench.log, re.MULTILINE)
    stops = [event for event in map(json.loads, told) if event["outcome"].startswith("stop")]
    return next((str(event["why"]) for event in stops if event["user"] == name), "")
