"""What a node takes from its machine, and gives back: kernel settings, cgroups, directories."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The kubelet sets these (its package pkg/util/sysctl).
KERNEL_SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
# These paths are fixed in containerd, its shims, the CNI plugins or the kubelet.
PRIVATE_DIRECTORIES = (
    "/run/containerd",
    "/run/netns",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
)
# What cgroups get of a busy machine, in v1 and in v2: all that tests do is to wait for pods.
SHARES = {"cpu.shares": "8192", "cpu.weight": "800"}
# Held by whoever uses them; the caches of several people may be on one machine.
MACHINE_LOCK = Path("/run/lock/jhext-test-node")
CGROUPS = Path("/sys/fs/cgroup")


@contextmanager
def kernel_settings_restored() -> Iterator[None]:
    """Put back at the end what the kubelet changes."""
    files = [Path("/proc/sys", name) for name in KERNEL_SETTINGS]
    before = {file: file.read_text() for file in files}
    try:
        yield
    finally:
        for file, text in before.items():
            file.write_text(text)


@contextmanager
def control_group(name: str) -> Iterator[None]:
    """Make the cgroup `/name` for every controller; at the end, wait until nothing runs in it."""
    controllers = [CGROUPS] if (CGROUPS / "cgroup.controllers").exists() else CGROUPS.iterdir()
    groups = [controller / name for controller in controllers]
    for group in groups:
        group.mkdir(exist_ok=True)
        for file in filter(Path.exists, map(group.joinpath, SHARES)):
            file.write_text(SHARES[file.name])
    try:
        yield
    finally:
        for group in groups:
            _remove(group)


def _remove(group: Path, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    for folder, _, _ in os.walk(group, topdown=False):
        while True:
            try:
                Path(folder).rmdir()
                break
            except OSError:  # the kernel is still ending its processes
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)


@contextmanager
def private_directories(storage: Path) -> Iterator[dict[str, str]]:
    """Yield what the node sees in place of the machine's directories, below `storage`."""
    shutil.rmtree(storage, ignore_errors=True)
    made = []
    for path in map(Path, PRIVATE_DIRECTORIES):
        if not path.exists():
            path.mkdir(parents=True)
            made.append(path)
    sources = {path: storage / path.strip("/").replace("/", "-") for path in PRIVATE_DIRECTORIES}
    for source in sources.values():
        source.mkdir(parents=True)
    try:
        yield {path: str(source) for path, source in sources.items()}
    finally:
        for path in made:
            path.rmdir()
        shutil.rmtree(storage)
