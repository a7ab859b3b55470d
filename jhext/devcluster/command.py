"""What to run for a container: command, environment and directory, in paths of this machine."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .credentials import Credentials
from .environment import expand
from .mounts import Mounts
from .process import Command
from .resources import Object
from .volumes import IMAGE_HOME

DEFAULT_COMMAND = ("jupyterhub-singleuser",)
"""What the "image" runs when the pod does not say: the server of the running environment."""

_SERVERS = frozenset({"jupyterhub-singleuser", "jupyter-labhub"})
# A pod has no network of its own: "all interfaces" must mean its address.
_ANY_ADDRESS_URL = re.compile(r"(?<=//)(0\.0\.0\.0|\[::\]|\*)(?=:|/|$)")
_ANY_ADDRESS_ARGUMENT = re.compile(r"^(--(?:\w+\.)?ip=)(0\.0\.0\.0|::|\*|)$")
_ADDRESS_VARIABLES = ("JUPYTERHUB_SERVICE_URL",)
_KEPT_VARIABLES = ("LANG", "LC_ALL", "SSL_CERT_FILE", "TZ")


class NoSuchCommandError(OSError):
    """The command is not in the environment that stands for the image."""


def build_command(
    pod: Object,
    container: Object,
    variables: Mapping[str, str],
    mounts: Mounts,
    *,
    arguments: Sequence[str] | None,
    private: Path,
    credentials: Credentials | None,
) -> Command:
    """Return the process that stands for a container.

    Parameters
    ----------
    variables
        The container's own environment.
    arguments
        What to run instead of the container's own command; None for that.
    private
        A directory of the pod's own, with ``home`` and ``tmp`` in it.
    credentials
        The ids to run under; None for the cluster's own.

    Raises
    ------
    NoSuchCommandError
        When the command cannot be found.
    """
    address = pod["status"]["podIP"]
    environment = _image_environment(pod, mounts, private)
    for name, value in variables.items():
        environment[name] = mounts.rewrite(value)
    for name in _ADDRESS_VARIABLES:
        if name in environment:
            environment[name] = _ANY_ADDRESS_URL.sub(address, environment[name])
    if arguments is None:
        own = [*(container.get("command") or ()), *(container.get("args") or ())]
        arguments = [expand(argument, variables) for argument in own or DEFAULT_COMMAND]
    argv = [
        _ANY_ADDRESS_ARGUMENT.sub(rf"\g<1>{address}", mounts.rewrite(argument))
        for argument in arguments
    ]
    executable = shutil.which(argv[0], path=environment["PATH"])
    if executable is None:
        raise NoSuchCommandError(f'exec: "{argv[0]}": executable file not found in $PATH')
    if Path(executable).name in _SERVERS and _is_root(credentials):
        argv.append("--allow-root")
    directory = Path(mounts.rewrite(container.get("workingDir") or IMAGE_HOME))
    return Command(
        (executable, *argv[1:]),
        environment,
        directory if directory.is_dir() else private / "home",
        credentials,
    )


def _image_environment(pod: Object, mounts: Mounts, private: Path) -> dict[str, str]:
    """Return what an image would set: the running virtual environment is the image."""
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    binaries = str(Path(sys.executable).parent)
    return {
        "LANG": "C.UTF-8",
        **environment,
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": sys.prefix,
        "HOME": mounts.rewrite(IMAGE_HOME),
        "HOSTNAME": pod["metadata"]["name"],
        "TMPDIR": str(private / "tmp"),
        "SHELL": "/bin/bash",
    }


def _is_root(credentials: Credentials | None) -> bool:
    return (credentials.uid if credentials else os.geteuid()) == 0
