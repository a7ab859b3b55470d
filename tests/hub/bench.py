"""A real hub on a real embedded cluster behind a real proxy, for one module of tests."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jhext.demo import accounts
from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from jhext.demo.hub import LocalHub, start_cluster
from jhext.demo.pods import pods_of
from jhext.demo.processes import Children
from jhext.demo.proxy import Proxy

_HERE = Path(__file__).parent
_CAPACITY = ("cpu=1000", "memory=1Ti", "nvidia.com/gpu=8")


@dataclass(frozen=True)
class Bench:
    """The hub, and everybody who can log in to it."""

    hub: LocalHub
    accounts_file: Path

    @property
    def log(self) -> str:
        """What the hub has printed so far."""
        return self.hub.log.read_text()

    @property
    def unhandled(self) -> list[str]:
        """The errors that nobody handled; JupyterHub 5.3 calls each refusal that, too."""
        errors = re.findall("Unhandled error.*", self.log)
        return [error for error in errors if "HTTP 403: " not in error]

    def decisions(self) -> list[dict[str, str]]:
        """Return the audit events about starts that are in the log."""
        events = re.findall(r"spawn-decision (\{.*\})$", self.log, re.MULTILINE)
        return [json.loads(event) for event in events]

    @asynccontextmanager
    async def browser(self, name: str) -> AsyncIterator[HubClient]:
        """Open the browser of somebody who has logged in."""
        account = accounts.load(self.accounts_file)[name]
        async with HubClient(self.hub.url) as client:
            answer = await client.login(name, account.password.get_secret_value())
            assert answer.url.path == "/hub/home", answer
            yield client

    @asynccontextmanager
    async def program(self, name: str) -> AsyncIterator[HubClient]:
        """Run a program that holds a token of somebody, and no cookies."""
        async with self.browser(name) as browser:
            token = await browser.new_token(name)
        async with HubClient(self.hub.url, token) as client:
            yield client

    async def pods(self, user: str) -> list[dict[str, Any]]:
        """Return the pods of a user, as the Kubernetes API shows them."""
        return await pods_of(self.hub.kubeconfig, user)

    def uid_of_pods(self, wanted: int) -> int:
        """Return the uid that a pod's processes have when they are to have this one."""
        told = self.hub.kubeconfig.parent.with_suffix(".log").read_text()
        able = os.geteuid() == 0 and f"uid {wanted} cannot use" not in told
        return wanted if able else os.geteuid()

    def change_accounts(self, people: Iterable[Account]) -> None:
        """Change who there is, from the next login or refresh on."""
        self.accounts_file.write_bytes(accounts.dump(people))


def start_bench(
    children: Children,
    folder: Path,
    proxy: Proxy,
    people: Iterable[Account],
    settings: Mapping[str, Any],
    config: str,
    base: str,
) -> Bench:
    """
    Start a hub.

    Parameters
    ----------
    people
        Who can log in.
    settings
        What ``jhext.yaml`` says.
    config
        Python text that follows the base.
    base
        The file beside this one that the hub's configuration begins with.
    """
    (folder / "jhext.yaml").write_text(yaml.safe_dump(dict(settings), sort_keys=False))
    text = f"load_subconfig({str(_HERE / base)!r})\n\n{config}\n"
    return start_configured(children, folder, proxy, people, text, {})


def start_configured(
    children: Children,
    folder: Path,
    proxy: Proxy,
    people: Iterable[Account],
    config: str,
    env: Mapping[str, str],
    port: int = 0,
) -> Bench:
    """
    Start a hub with the text of a ``jupyterhub_config.py``.

    Parameters
    ----------
    env
        What its environment has besides that of this program.
    port
        Where people find it; 0: anywhere.
    """
    accounts_file = folder / "accounts.json"
    accounts_file.write_bytes(accounts.dump(people))
    # where the servers reach it, whatever uid they have
    shutil.copy(_HERE / "stub_server.py", folder)
    hub_config = folder / "jupyterhub_config.py"
    hub_config.write_text(config)
    # stub servers need less than what profiles guarantee, and no GPU
    kubeconfig = start_cluster(children, folder / "cluster", *_CAPACITY)
    hub = LocalHub(children, folder / "hub", hub_config, kubeconfig, proxy, port, env=env)
    hub.start()
    return Bench(hub, accounts_file)
