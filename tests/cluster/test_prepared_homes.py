"""Homes on a directory of the node: made, filled, shared with a group, or refused in words."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
import yaml

from jhext.demo.accounts import Account
from jhext.storage.prepare import MAKES
from tests.cluster.bench import ClusterBench
from tests.cluster.conftest import RunHub
from tests.cluster.interpreter import PROFILES, run_in_new_server
from tests.cluster.kubernetes.kubeconfig import Node

UIDS = {"alice": 3001, "bob": 3002, "mallory": 3003}
PEOPLE = {name: {"uid": uid, "gid": uid, "groups": {"lab": 5001}} for name, uid in UIDS.items()}
# Claims of others, which ask for no class, could be given a volume that has none.
CLASS = "jhext-prepared"
SHARED = {"per": "hub", "storage_class": CLASS, "access_modes": ["ReadWriteMany"]}
LOOK = """
import json, os, pathlib
home, lab = pathlib.Path.home(), pathlib.Path("/groups/lab")
for file in (home / "mine", lab / os.environ["JUPYTERHUB_USER"]):
    with file.open("a") as stream:
        stream.write("x")
print(json.dumps({
    "home": str(home),
    "mine": (home / "mine").read_text(),
    "in home": sorted(path.name for path in home.iterdir() if not path.name.startswith(".")),
    "owner": [home.stat().st_uid, (home / "mine").stat().st_uid],
    "lab": sorted(path.name for path in lab.iterdir()),
    "gid": (lab / os.environ["JUPYTERHUB_USER"]).stat().st_gid,
    "others": os.listdir("/jhext") if os.path.exists("/jhext") else [],
}))
"""


@dataclass(frozen=True)
class Homes:
    """A hub, and the directories of the node that it uses."""

    bench: ClusterBench
    homes: Path
    shared: Path
    first: str
    """The profile of the first server."""

    async def look(self, user: str, profile: str = "interpreter") -> dict[str, Any]:
        """Start a person's server, work in it, and stop it."""
        seen: dict[str, Any] = json.loads(await run_in_new_server(self.bench, user, LOOK, profile))
        return seen


def run_homes(run_hub: RunHub, node: Node, folder: Path, create: str, volume: str) -> Homes:
    homes, shared, people = folder / "homes", folder / "shared", folder / "people.yaml"
    for directory in (homes, shared):
        directory.mkdir()
        directory.chmod(0o1777 if create == "user" else 0o755)
    (homes / "mallory").mkdir(mode=0o777)
    os.chown(homes / "mallory", UIDS["bob"], UIDS["bob"])
    (homes / "mallory" / "file").touch()
    people.write_text(yaml.safe_dump(PEOPLE))
    settings: dict[str, Any] = {
        "profiles": PROFILES,
        "identity": {"sources": [{"type": "table", "path": str(people)}]},
        "pod": {"privileged_containers": [MAKES] if create == "chown" else []},
        "storage": {
            "home": {"source": {"type": "host_path", "path": f"{homes}/{{username}}"}},
            "init": {
                "create": create,
                "image": node.image,
                "copies": [{"source": "/etc/skel", "when": "sync"}],
                "directories": {"notebooks": "0755", "DATA": "0755"},
            },
            "mounts": [
                {
                    "name": "groups",
                    "source": {"type": "host_path", "path": str(shared)},
                    "mount_path": "/groups/{group}",
                    "sub_path": "{group}",
                    "groups": ["lab"],
                    "directory_mode": "2770",
                }
            ],
        },
    }
    if volume:
        settings["storage"] |= {
            "home": {"source": {"type": "shared_claim", "claim": "homes"}},
            "claims": {"homes": {**SHARED, "volume_name": volume}},
        }
    accounts = [Account(name=name, uid=uid) for name, uid in UIDS.items()]
    first = "interpreter" if volume else "notebook"
    return Homes(run_hub(accounts, settings), homes, shared, first)


@contextmanager
def volume_of(client: httpx.Client, directory: Path) -> Iterator[str]:
    """Make a volume out of a directory of the node."""
    name = f"jhext-{token_hex(4)}"
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteMany"],
        "storageClassName": CLASS,
        "hostPath": {"path": str(directory), "type": "Directory"},
    }
    body = {"metadata": {"name": name}, "spec": spec}
    client.post("/api/v1/persistentvolumes", json=body).raise_for_status()
    yield name
    client.delete(f"/api/v1/persistentvolumes/{name}").raise_for_status()


@pytest.fixture(scope="module", params=["user", "chown", "user in a claim"])
def homes(
    request: pytest.FixtureRequest,
    run_hub: RunHub,
    node: Node,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Homes]:
    if node.off is None:
        pytest.skip("not on a cluster whose node does not see this machine's files")
    create, _, in_claim = request.param.partition(" ")
    folder = tmp_path_factory.mktemp("storage")
    with node.client() as client, volume_of(client, folder / "homes") as volume:
        yield run_homes(run_hub, node, folder, create, volume if in_claim else "")


async def test_d18_homes_are_made_and_files_are_there_again(homes: Homes) -> None:
    """Written by one server, read by the next; the group's by another person."""
    first = await homes.look("alice", homes.first)
    assert first["in home"] == ["DATA", "mine", "notebooks"]
    assert first["owner"] == [3001, 3001]
    assert first["home"] == "/home/jovyan"
    assert first["others"] == []
    again, other = await asyncio.gather(homes.look("alice"), homes.look("bob"))
    assert again["mine"] == "xx"
    assert other["mine"] == "x"
    assert other["lab"] == ["alice", "bob"]
    assert other["gid"] == 5001
    home = (homes.homes / "alice").stat()
    assert (home.st_uid, stat.S_IMODE(home.st_mode)) == (3001, 0o700)
    lab = (homes.shared / "lab").stat()
    assert (lab.st_gid, stat.S_IMODE(lab.st_mode)) == (5001, 0o2770)


async def test_d39_home_of_somebody_else_is_refused_with_words(homes: Homes) -> None:
    async with homes.bench.browser("mallory") as browser:
        await browser.post("/hub/spawn", {})
        progress = await browser.request("GET", "/hub/api/users/mallory/server/progress")
        assert '"failed": true' in progress.text
        page = await browser.get("/hub/spawn-pending/mallory")
    assert "your home belongs to uid 3002 and not 3003" in page.text
    assert (homes.homes / "mallory").stat().st_uid == UIDS["bob"]
