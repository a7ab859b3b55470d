"""The published Pod Security Standards, level "restricted", on the pods of people."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.pod_security import violations

GOLDEN = Path(__file__).parents[2] / "golden" / "pod"
PLAIN = json.loads((GOLDEN / "plain.json").read_text())


@pytest.mark.parametrize("name", ["plain", "platform"])
def test_d20_pods_of_people_pass(name: str) -> None:
    assert violations(json.loads((GOLDEN / f"{name}.json").read_text())) == []


@pytest.mark.parametrize(
    ("control", "of_the_pod", "of_a_container"),
    [
        ("Host Namespaces", {"hostNetwork": True}, {}),
        ("Host Namespaces", {"hostPID": True}, {}),
        ("Host Namespaces", {"hostIPC": True}, {}),
        ("HostPath Volumes", {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, {}),
        ("Volume Types", {"volumes": [{"name": "v", "nfs": {}}]}, {}),
        ("Host Ports", {}, {"ports": [{"hostPort": 80}]}),
        ("Host Probes", {}, {"livenessProbe": {"httpGet": {"host": "127.0.0.1"}}}),
        ("Host Probes", {}, {"lifecycle": {"preStop": {"tcpSocket": {"host": "a"}}}}),
    ],
)
def test_what_a_pod_may_not_have_is_found(
    control: str, of_the_pod: dict[str, Any], of_a_container: dict[str, Any]
) -> None:
    manifest = copy.deepcopy(PLAIN)
    manifest["spec"] |= of_the_pod
    manifest["spec"]["initContainers"][0] |= of_a_container
    assert control in controls(manifest)


@pytest.mark.parametrize("where", ["pod", "container"])
@pytest.mark.parametrize(
    ("control", "context"),
    [
        ("HostProcess", {"windowsOptions": {"hostProcess": True}}),
        ("AppArmor", {"appArmorProfile": {"type": "Unconfined"}}),
        ("SELinux", {"seLinuxOptions": {"type": "spc_t"}}),
        ("SELinux", {"seLinuxOptions": {"user": "root"}}),
        ("SELinux", {"seLinuxOptions": {"role": "sysadm_r"}}),
        ("Seccomp", {"seccompProfile": {"type": "Unconfined"}}),
        ("Running as Non-root user", {"runAsUser": 0}),
    ],
)
def test_what_a_context_may_not_say_is_found(
    control: str, context: dict[str, Any], where: str
) -> None:
    manifest = copy.deepcopy(PLAIN)
    holder = manifest["spec"]
    holder = holder if where == "pod" else holder["containers"][1]
    holder["securityContext"] |= context
    assert control in controls(manifest)


@pytest.mark.parametrize(
    ("control", "context"),
    [
        ("Privileged Containers", {"privileged": True}),
        ("Capabilities", {"capabilities": {"drop": ["NET_RAW"]}}),
        ("Capabilities", {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}),
        ("/proc Mount Type", {"procMount": "Unmasked"}),
        ("Privilege Escalation", {"allowPrivilegeEscalation": None}),
        ("Running as Non-root", {"runAsNonRoot": False}),
    ],
)
def test_what_a_container_may_not_say_is_found(control: str, context: dict[str, Any]) -> None:
    manifest = copy.deepcopy(PLAIN)
    manifest["spec"]["containers"][0]["securityContext"] |= context
    assert control in controls(manifest)


def test_sysctls_and_annotations_are_found() -> None:
    manifest = copy.deepcopy(PLAIN)
    manifest["spec"]["securityContext"]["sysctls"] = [{"name": "kernel.msgmax", "value": "1"}]
    key = "container.apparmor.security.beta.kubernetes.io/notebook"
    manifest["metadata"]["annotations"][key] = "unconfined"
    assert {"Sysctls", "AppArmor"} <= controls(manifest)


def controls(manifest: dict[str, Any]) -> set[str]:
    return {found.partition(":")[0] for found in violations(manifest)}
