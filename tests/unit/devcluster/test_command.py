"""What is run for a container."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from jhext.devcluster.command import NoSuchCommandError, build_command
from jhext.devcluster.credentials import Credentials
from jhext.devcluster.mounts import Mount, Mounts
from jhext.devcluster.process import Command

POD = {"metadata": {"name": "p"}, "status": {"podIP": "127.77.0.9"}}
MOUNTS = Mounts([Mount("/home/jovyan", Path("/")), Mount("/data", Path("/srv/data"))])
SERVER = str(Path(sys.executable).parent / "jupyterhub-singleuser")


def build(
    container: dict[str, Any],
    variables: dict[str, str] | None = None,
    *,
    arguments: list[str] | None = None,
    credentials: Credentials | None = None,
) -> Command:
    return build_command(
        POD,
        container,
        variables or {},
        MOUNTS,
        arguments=arguments,
        private=Path("/private"),
        credentials=credentials or Credentials(1000, 100),
    )


@pytest.mark.parametrize(
    ("container", "argv"),
    [
        ({}, [SERVER]),
        ({"args": ["jupyterhub-singleuser", "--debug"]}, [SERVER, "--debug"]),
        ({"command": ["/bin/echo"], "args": ["$(A)", "$$(A)"]}, ["/bin/echo", "1", "$(A)"]),
        ({"command": ["/bin/echo", "/data/x", "$(D)"]}, ["/bin/echo", "/srv/data/x", "/srv/data"]),
        ({"args": ["/bin/echo", "--ip=0.0.0.0"]}, ["/bin/echo", "--ip=127.77.0.9"]),
    ],
)
def test_argv(container: Any, argv: list[str]) -> None:
    assert build(container, {"A": "1", "D": "/data"}).argv == tuple(argv)


def test_other_command_in_the_same_container() -> None:
    command = build({"args": ["/bin/true"]}, arguments=["/bin/cat", "/data/$(A)"])
    assert command.argv == ("/bin/cat", "/srv/data/$(A)")


def test_server_of_root_is_allowed_to_be() -> None:
    """The server refuses to run as root, as which a pod may have to run here."""
    assert build({}, credentials=Credentials(0, 0)).argv == (SERVER, "--allow-root")
    assert build({"args": ["/bin/true"]}, credentials=Credentials(0, 0)).argv == ("/bin/true",)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("A", "/data/x", "/srv/data/x"),
        ("A", "http://0.0.0.0:8888/", "http://0.0.0.0:8888/"),
        ("JUPYTERHUB_SERVICE_URL", "http://0.0.0.0:8888/x/", "http://127.77.0.9:8888/x/"),
        ("JUPYTERHUB_SERVICE_URL", "http://[::]:8888/x/", "http://127.77.0.9:8888/x/"),
        ("JUPYTERHUB_SERVICE_URL", "http://*:8888/x/", "http://127.77.0.9:8888/x/"),
        ("JUPYTERHUB_SERVICE_URL", "http://10.0.0.0:8888/x/", "http://10.0.0.0:8888/x/"),
        ("HOME", "/home/jovyan/x", "//x"),
    ],
)
def test_variables(name: str, value: str, expected: str) -> None:
    assert build({}, {name: value}).environment[name] == expected


def test_environment_begins_with_the_virtual_environment() -> None:
    environment = build({}).environment
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["VIRTUAL_ENV"] == sys.prefix
    assert environment["TMPDIR"] == "/private/tmp"
    assert environment["HOSTNAME"] == "p"


@pytest.mark.parametrize(
    ("working_dir", "expected"),
    [(None, "/"), ("/data", "/private/home"), ("/usr", "/usr")],
)
def test_directory(working_dir: str | None, expected: str) -> None:
    assert build({"workingDir": working_dir}).directory == Path(expected)


def test_command_that_is_missing() -> None:
    with pytest.raises(NoSuchCommandError, match="no-such-command"):
        build({"command": ["no-such-command"]})
