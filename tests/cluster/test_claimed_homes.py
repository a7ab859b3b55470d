"""Homes in claims of people's own, made ready before the server: filled once, or refused."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import yaml

from jhext.demo.accounts import Account
from tests.cluster.bench import ClusterBench
from tests.cluster.conftest import RunHub
from tests.cluster.interpreter import PROFILES, run_in_new_server
from tests.cluster.kubernetes.kubeconfig import Node

UIDS = {"alice": 3001, "mallory": 3003}
PEOPLE = {name: {"uid": uid, "gid": uid} for name, uid in UIDS.items()}
# Claims of others, which ask for no class, could be given a volume that has none.
CLASS = "jhext-claimed"
LOOK = """
import json, os, pathlib
home = pathlib.Path.home()
with (home / "mine").open("a") as stream:
    stream.write("x")
seen = {
    "home": str(home),
    "mine": (home / "mine").read_text(),
    "names": sorted(path.name for path in home.iterdir() if not path.name.startswith(".")),
    "filled": (home / "course" / ".bashrc").exists(),
    "owner": [(home / name).stat().st_uid for name in ("mine", "course")],
}
(home / "course" / ".bashrc").unlink(missing_ok=True)
print(json.dumps(seen))
"""


@contextmanager
def volume_of(node: Node, directory: Path, name: str) -> Iterator[None]:
    """Make a volume out of a directory, whose root is root's and the group's: as `fsGroup` does."""
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": CLASS,
        "hostPath": {"path": str(directory), "type": "Directory"},
    }
    with node.client() as client:
        body = {"metadata": {"name": name}, "spec": spec}
        client.post("/api/v1/persistentvolumes", json=body).raise_for_status()
        yield
        client.delete(f"/api/v1/persistentvolumes/{name}").raise_for_status()


@pytest.fixture(scope="module")
def hub(
    run_hub: RunHub, node: Node, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ClusterBench, Path]]:
    if node.off is None:
        pytest.skip("not on a cluster whose node does not see this machine's files")
    folder, mark = tmp_path_factory.mktemp("claimed"), f"jhext-{token_hex(4)}"
    people = folder / "people.yaml"
    people.write_text(yaml.safe_dump(PEOPLE))
    with ExitStack() as stack:
        for user, uid in UIDS.items():
            (folder / user).mkdir()
            os.chown(folder / user, 0, uid)
            (folder / user).chmod(0o2755 if user == "mallory" else 0o2775)
            stack.enter_context(volume_of(node, folder / user, f"{mark}-{user}"))
        settings: dict[str, Any] = {
            "profiles": PROFILES,
            "identity": {"sources": [{"type": "table", "path": str(people)}]},
            "storage": {
                "home": {"source": {"type": "claim"}, "mount_path": "/home/{username}"},
                "claims": {"home": {"storage_class": CLASS, "volume_name": f"{mark}-{{username}}"}},
                "init": {
                    "copies": [{"source": "/etc/skel", "target": "course"}],
                    "directories": {"notebooks": "0755"},
                    "room": {"free": "128Ki"},
                },
            },
        }
        accounts = [Account(name=name, uid=uid) for name, uid in UIDS.items()]
        yield run_hub(accounts, settings), folder


async def test_home_is_filled_once_and_files_are_there_again(
    hub: tuple[ClusterBench, Path],
) -> None:
    bench, folder = hub
    seen = [
        json.loads(await run_in_new_server(bench, "alice", LOOK, "interpreter")) for _ in range(2)
    ]
    assert [one["mine"] for one in seen] == ["x", "xx"]
    assert [one["filled"] for one in seen] == [True, False]  # what was deleted stays so
    assert seen[1]["names"] == ["course", "mine", "notebooks"]
    assert seen[1]["home"] == "/home/alice"
    assert seen[1]["owner"] == [3001, 3001]
    assert (folder / "alice").stat().st_uid == 0


async def test_d39_volume_that_cannot_be_written_is_refused_with_words(
    hub: tuple[ClusterBench, Path],
) -> None:
    bench, _ = hub
    assert "your home cannot be written by uid 3003" in await refusal_of(bench, "mallory")


async def refusal_of(bench: ClusterBench, user: str) -> str:
    """Start a server that is not to start, and give what the person reads."""
    async with bench.browser(user) as browser:
        await browser.post("/hub/spawn", {"profile": "interpreter"})
        progress = await browser.request("GET", f"/hub/api/users/{user}/server/progress")
        assert '"failed": true' in progress.text
        return (await browser.get(f"/hub/spawn-pending/{user}")).text
