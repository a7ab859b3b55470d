"""The images of the test node: a pause program, and Debian with JupyterLab and JupyterHub."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.cluster.kubernetes.debian import KEYRING, SUITE, mirror
from tests.cluster.kubernetes.image_archive import write_image

# The versions that the tests run on: a hub and its servers belong together.
PINS = [f"{package}=={version(package)}" for package in ("jupyterhub", "jupyterlab")]
PAUSE_SOURCE = Path(__file__).with_name("pause.go")
PACKAGES = ("ca-certificates", "git", "python3", "python3-venv", "sudo")
SUDOERS = "ALL ALL=(ALL) NOPASSWD: ALL\n"  # it forbids nobody anything: the pod has to
UNUSED = ("usr/share/doc", "usr/share/locale", "usr/share/man", "var/cache/apt", "var/lib/apt")
ENVIRONMENT = "/opt/notebook"
USER, UID, GID, HOME = "jovyan", 1000, 100, "/home/jovyan"  # as in Jupyter's own images
SETTINGS = {
    "Cmd": ["jupyterhub-singleuser"],
    "Env": [
        f"PATH={ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin",
        f"HOME={HOME}",
        "LANG=C.UTF-8",
    ],
    "User": f"{UID}:{GID}",
    "WorkingDir": HOME,
}


@dataclass(frozen=True)
class Image:
    """An image of ours.

    Attributes
    ----------
    name
        What a pod calls it; the tag says what the content depends on.
    write
        Makes it, as an archive that containerd can import.
    """

    name: str
    write: Callable[[Path], None]


def _tag(*content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def _write_pause(archive: Path) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent) as temporary:
        root = Path(temporary) / "root"
        root.mkdir()
        subprocess.run(
            ["go", "build", "-ldflags=-s -w", "-o", root / "pause", PAUSE_SOURCE],
            env=os.environ | {"CGO_ENABLED": "0", "GOCACHE": f"{temporary}/go"},
            check=True,
        )
        write_image(root, PAUSE.name, {"Cmd": ["/pause"]}, archive)


def _write_notebook(archive: Path) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent) as temporary:
        root = Path(temporary) / "root"
        _debian(root)
        _python_environment(root)
        (root / "etc/sudoers.d/everybody").write_text(SUDOERS)
        for folder in UNUSED:
            shutil.rmtree(root / folder)
        home = root / HOME.lstrip("/")
        home.mkdir()
        os.chown(home, UID, GID)
        with (root / "etc/passwd").open("a") as passwd:
            passwd.write(f"{USER}:x:{UID}:{GID}::{HOME}:/bin/bash\n")
        write_image(root, NOTEBOOK.name, SETTINGS, archive)


def _debian(root: Path) -> None:
    """Make a minimal Debian; debootstrap's mounts end with a mount namespace of their own."""
    command = [
        *("unshare", "--mount", "debootstrap", "--variant=minbase"),
        f"--keyring={KEYRING}",
        f"--include={','.join(PACKAGES)}",
        *(SUITE, str(root), mirror()),
    ]
    subprocess.run(command, check=True)


def _python_environment(root: Path) -> None:
    """Install `PINS`: downloaded with this machine's pip and its settings, installed offline."""
    inside = ["chroot", str(root), "env", "-i", "PATH=/usr/bin:/bin"]
    ask = [*inside, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    python = subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory(dir=root) as wheels:
        download = [
            *(sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:"),
            f"--python-version={python}",
            f"--dest={wheels}",
        ]
        subprocess.run([*download, *PINS], check=True)
        subprocess.run([*inside, "python3", "-m", "venv", ENVIRONMENT], check=True)
        install = [
            *(f"{ENVIRONMENT}/bin/pip", "install", "-q", "--no-cache-dir", "--no-index"),
            f"--find-links=/{Path(wheels).name}",
        ]
        subprocess.run([*inside, *install, *PINS], check=True)


PAUSE = Image(f"localhost/jhext-pause:{_tag(PAUSE_SOURCE.read_text())}", _write_pause)
NOTEBOOK = Image(
    f"localhost/jhext-notebook:{_tag(SUITE, PACKAGES, SUDOERS, PINS, SETTINGS)}", _write_notebook
)
