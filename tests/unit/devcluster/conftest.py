"""A cluster in the test's own event loop, and pods to run on it."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import pytest

from jhext.devcluster import DevCluster
from jhext.devcluster.credentials import CredentialCheck, Credentials

NAMESPACE = "/api/v1/namespaces/default"


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(30):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Bench:
    """A running cluster, with a client of its API."""

    cluster: DevCluster
    session: aiohttp.ClientSession
    state: Path
    warnings: list[str]

    async def get(self, path: str, **query: str) -> Any:
        """Read what is at a path of the default namespace."""
        async with self.session.get(f"{NAMESPACE}/{path}", params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def warned(self, word: str) -> None:
        """Wait until the console has a warning with a word in it."""
        await eventually(lambda: any(word in warning for warning in self.warnings))

    async def create(self, plural: str, body: dict[str, Any]) -> Any:
        """Create an object in the default namespace."""
        async with self.session.post(f"{NAMESPACE}/{plural}", json=body) as response:
            assert response.status == 201, await response.text()
            return await response.json()

    async def delete(self, path: str, **query: str) -> None:
        """Delete an object of the default namespace."""
        async with self.session.delete(f"{NAMESPACE}/{path}", params=query) as response:
            assert response.status == 200, await response.text()

    async def run(
        self, script: str, *, container: dict[str, Any] | None = None, **spec: Any
    ) -> Any:
        """Create the pod ``p``, which runs a shell script once."""
        main = {"name": "c", "image": "i", "command": ["sh", "-c", script], **(container or {})}
        body = {"containers": [main], "restartPolicy": "Never", **spec}
        return await self.create("pods", {"metadata": {"name": "p"}, "spec": body})

    async def until(self, condition: Callable[[Any], object]) -> Any:
        """Wait until the pod ``p`` meets a condition; None stands for a pod that is gone."""
        query = {"watch": "true", "fieldSelector": "metadata.name=p", "timeoutSeconds": "30"}
        pod = None
        async with self.session.get(f"{NAMESPACE}/pods", params=query) as response:
            async for line in response.content:
                event = json.loads(line)
                pod = None if event["type"] == "DELETED" else event["object"]
                if condition(pod):
                    return pod
        raise AssertionError(f"it has never been so: {pod}")

    async def ended(self) -> Any:
        """Wait until the pod ``p`` has run, and return it."""
        return await self.until(lambda pod: pod["status"]["phase"] in ("Succeeded", "Failed"))

    async def log(self) -> str:
        """Return the log of the pod ``p``."""
        async with self.session.get(f"{NAMESPACE}/pods/p/log") as response:
            assert response.status == 200, await response.text()
            return await response.text()

    async def log_has(self, text: str) -> str:
        """Wait until the log of the pod ``p`` has a text, and return it."""
        await self.until(lambda pod: pod["status"]["phase"] != "Pending")
        while text not in (log := await self.log()):
            pass
        return log


@pytest.fixture
def open_path() -> Iterator[Path]:
    """Give a directory that other users can enter, unlike ``tmp_path``."""
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture
def closed_path(open_path: Path) -> Path:
    """Give a directory that other users cannot enter."""
    open_path.chmod(0o700)
    return open_path


@pytest.fixture
async def other_user(open_path: Path) -> Credentials:
    """Give ids that processes can run under, where there are such."""
    if os.geteuid() != 0:
        pytest.skip("only root may become others")
    credentials = Credentials(2001, 2002, (2003, 2004))
    if problem := await CredentialCheck().problem(credentials, open_path):
        pytest.skip(f"not on a Python environment that others cannot use: {problem}")
    return credentials


StartBench = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture
def start_bench(open_path: Path) -> StartBench:
    """Start clusters, one at a time for the same state."""

    @asynccontextmanager
    async def start(state: Path = open_path / "state", **options: Any) -> AsyncIterator[Bench]:
        warnings: list[str] = []
        options = {"backoff": 0.05, "warn": warnings.append, **options}
        async with DevCluster(state, **options) as cluster:
            trust = ssl.create_default_context(cafile=str(cluster.ca_file))
            async with aiohttp.ClientSession(
                cluster.url,
                headers={"Authorization": f"Bearer {cluster.token}"},
                connector=aiohttp.TCPConnector(ssl=trust),
            ) as session:
                yield Bench(cluster, session, state, warnings)

    return start


@pytest.fixture
async def bench(start_bench: StartBench) -> AsyncIterator[Bench]:
    """Give a running cluster."""
    async with start_bench() as started:
        yield started
