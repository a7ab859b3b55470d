"""``jhext rbac``, ``netpol`` and ``prepull``: manifests of what is configured, as YAML."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

COMMANDS = {
    "rbac": ("--namespace", "jhub", "--service-account", "hub"),
    "netpol": ("--namespace", "jhub", "--reachable", "10.20.0.0/16"),
    "prepull": ("--namespace", "jhub"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("file", ["jhext.yaml", "jupyterhub_config.py"])
def test_output(golden: Any, command: str, file: str) -> None:
    kept = f"{command}-{file.partition('.')[0]}"
    golden("manifests", kept, command, file, *COMMANDS[command], code=0)


@pytest.mark.parametrize("command", COMMANDS)
def test_configuration_that_cannot_be_read(shell: Any, command: str) -> None:
    shell.write(jhext__yaml="profile: []")
    ran = shell(command)
    assert (ran.code, ran.stdout) == (2, "")
    assert "profile" in ran.stderr


@pytest.mark.parametrize(
    "option",
    [("--hub", "component"), ("--proxy", "=proxy"), ("--reachable", "10.1.2.3/16")],
    ids=lambda option: option[0],
)
def test_options_that_cannot_be_read(shell: Any, option: tuple[str, str]) -> None:
    shell.write(jhext__yaml="profiles: [{display_name: Small}]")
    assert shell("netpol", *option).code == 2


def test_without_a_namespace_none_is_named(shell: Any) -> None:
    shell.write(jhext__yaml="profiles: [{display_name: Small}]")
    for command in ("netpol", "prepull"):
        manifests = yaml.safe_load_all(shell(command).stdout)
        assert all("'namespace'" not in str(manifest) for manifest in manifests), command


def test_binding_names_the_namespace_of_its_account(shell: Any) -> None:
    """Kubernetes refuses a binding without."""
    shell.write(jhext__yaml="profiles: [{display_name: Small}]")
    assert shell("rbac").code == 2
    config = "profiles: [{display_name: Small}]\nhub: {config: {KubeSpawner: {namespace: mine}}}\n"
    shell.write(jhext__yaml=config)
    _, binding = yaml.safe_load_all(shell("rbac").stdout)
    assert binding["subjects"][0]["namespace"] == binding["metadata"]["namespace"] == "mine"
