"""containerd's storage with the test node's images in it, for one node after another."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.cluster.kubernetes import lock
from tests.cluster.kubernetes.cache import Build
from tests.cluster.kubernetes.images import NOTEBOOK, PAUSE
from tests.cluster.kubernetes.machine import MACHINE_LOCK, private_directories
from tests.cluster.kubernetes.node_init import CTR, Plan, first_process

CONTAINERD = "/var/lib/containerd"


def _make(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        work = Path(temporary)
        archives = [work / f"{number}.tar" for number in (1, 2)]
        for image, archive in zip((PAUSE, NOTEBOOK), archives, strict=True):
            image.write(archive)
        settings = work / "containerd.toml"
        settings.write_text(
            'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            f'[plugins."io.containerd.internal.v1.opt"]\npath = "{CONTAINERD}/opt"\n'
        )
        imports = [[*CTR, "images", "import", str(archive)] for archive in archives]
        with lock.alone(MACHINE_LOCK), private_directories(work / "node") as private:
            plan = Plan(private, str(settings), imports)
            subprocess.run(first_process(plan, work / "plan.json"), check=True)
            Path(private[CONTAINERD]).rename(target / "containerd")


def copy_store(destination: Path) -> None:
    """Copy the storage to `destination` in a second.

    Layers and blobs are never written again, so a link is a copy; containerd's databases are.
    """
    source = STORE.directory / "containerd"
    subprocess.run(["cp", "--archive", "--link", f"{source}/.", destination], check=True)
    for database in source.glob("*/*.db"):
        copy = destination / database.relative_to(source)
        copy.unlink()
        shutil.copy2(database, copy)


_KEY = hashlib.sha256(f"{PAUSE.name} {NOTEBOOK.name}".encode()).hexdigest()[:12]
STORE = Build(f"node-images-{_KEY}", _make)
