"""A real hub on this machine, for one module of tests, whose servers are pods of a real node."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from jhext.demo import accounts
from jhext.demo.accounts import Account
from jhext.demo.client import HubClient, ServerFailed
from jhext.demo.hub import LocalHub
from jhext.demo.processes import Children
from jhext.demo.proxy import Proxy
from tests.cluster.kubernetes.kubeconfig import Node, write_kubeconfig
from tests.cluster.line import Line
from tests.cluster.namespace import ACCOUNT, Namespace, documented_role
from tests.hub.bench import Bench

CONFIG = """\
import jhext
from jhext.demo.authenticator import DemoAuthenticator

c = get_config()
jhext.configure(c, {settings!r})
c.JupyterHub.authenticator_class = DemoAuthenticator
c.DemoAuthenticator.accounts_file = {accounts!r}
c.JupyterHub.allow_named_servers = True
c.KubeSpawner.namespace = {namespace!r}
c.KubeSpawner.image = {image!r}
c.KubeSpawner.delete_grace_period = 0
# for a machine with much else to do
c.KubeSpawner.start_timeout = 120
c.KubeSpawner.http_timeout = 120
"""


# Something that answers, and starts faster than a notebook server; and what it answers.
STUB = ["python3", "-m", "http.server", "8888"]
STUB_ANSWER = "Error code explanation: 404"


@dataclass(frozen=True)
class ClusterBench(Bench):
    """The hub, everybody who can log in to it, and where their pods are.

    Attributes
    ----------
    namespace
        The hub's own.
    node
        An administrator's way into the cluster, which the hub does not have.
    """

    namespace: Namespace
    node: Node

    async def pods(self, user: str) -> list[dict[str, Any]]:
        """Return the pods of a user."""
        return await asyncio.to_thread(self.namespace.pods, user)

    def asked_for(self) -> list[str]:
        """Return the names of all pods that the hub has asked the API server to create."""
        if self.node.audit_log is None:
            pytest.skip("not on a cluster whose audit log is not ours to read")
        hub = f"system:serviceaccount:{self.namespace.name}:{ACCOUNT}"
        events = map(json.loads, self.node.audit_log.read_text().splitlines())
        return [
            event["requestObject"]["metadata"]["name"]
            for event in events
            if event["user"]["username"] == hub
            and event["verb"] == "create"
            and event["objectRef"]["resource"] == "pods"
        ]


def start_cluster_bench(
    children: Children,
    folder: Path,
    proxy: Proxy,
    node: Node,
    namespace: Namespace,
    people: Iterable[Account],
    settings: Mapping[str, Any],
    config: str,
    line: Line | None,
) -> ClusterBench:
    """
    Start a hub that may do what the documented Role says, and nothing else.

    Parameters
    ----------
    people
        Who can log in.
    settings
        What ``jhext.yaml`` says.
    config
        Python text that follows what all these hubs have in common.
    line
        How the hub reaches the API server, if not directly.
    """
    accounts_file, settings_file = folder / "accounts.json", folder / "jhext.yaml"
    accounts_file.write_bytes(accounts.dump(people))
    settings_file.write_text(yaml.safe_dump(dict(settings), sort_keys=False))
    hub_config = folder / "jupyterhub_config.py"
    common = CONFIG.format(
        settings=str(settings_file),
        accounts=str(accounts_file),
        namespace=namespace.name,
        image=node.image,
    )
    hub_config.write_text(f"{common}\n{config}")
    account = namespace.account(node, folder)
    if line:
        name = {"tls-server-name": str(urlsplit(account.url).hostname)}
        write_kubeconfig(account.kubeconfig, line.url, account.ca_file, account.token, **name)
    namespace.grant(documented_role(), namespace.name)
    hub = LocalHub(
        children, folder / "hub", hub_config, account.kubeconfig, proxy, hub_ip=node.hub_ip
    )
    hub.start()
    return ClusterBench(hub, accounts_file, namespace, node)


async def progress(client: HubClient, name: str) -> str:
    """Follow a start to its end, and return all that was said about it.

    To follow it costs the hub little; asking again and again costs it as much as the start.
    """
    path = f"/users/{name}/server/progress"
    for _ in range(2):
        with contextlib.suppress(TimeoutError):  # of one request; the next hears all from anew
            return (await client.api("GET", path)).text
    return (await client.api("GET", path)).text


async def until_ready(client: HubClient, name: str) -> None:
    """Wait for a server that was asked for.

    Raises
    ------
    ServerFailed
        Its start failed, or the time is over.
    """
    await progress(client, name)
    await client.wait_for_server(name, seconds=120)


# The kubelet says this once in a while when many mounts come and go, and tries again itself.
FOR_NOW = "failed to prepare subPath"


async def start(browser: HubClient, name: str, profile: str) -> str:
    """Start a server; return what its owner reads if that fails, else nothing."""
    page = ""
    for _ in range(3):
        await browser.post("/hub/spawn", {"profile": profile})
        try:
            await until_ready(browser, name)
        except ServerFailed:
            page = html.unescape((await browser.get(f"/hub/spawn-pending/{name}")).text)
            if FOR_NOW not in page:
                break
        else:
            return ""
    return page


async def stop(client: HubClient, name: str) -> int:
    """Stop a server; return the status of the answer.

    The kubelet looks every minute for remains of pods. A pod whose remains it has overlooked before
    is gone only then.
    """
    return (await client.stop_server(name, seconds=150)).status


async def until(true: Callable[[], Awaitable[bool]], what: str, seconds: float = 120) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < end, f"not in {seconds} s: {what}"
        await asyncio.sleep(0.3)
