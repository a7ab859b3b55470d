"""The Pod Security Standards as published, as a table: what the level "restricted" finds in a pod.

The controls and their allowed values are those of
https://kubernetes.io/docs/concepts/security/pod-security-standards/, "baseline" included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from jhext.pod.manifest import CONTAINER_LISTS

Manifest = dict[str, Any]
MISSING = None

SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
}
SELINUX_TYPES = {
    MISSING,
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
}
VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"),
    *("image", "projected", "secret"),
}
SECCOMP = {"RuntimeDefault", "Localhost"}
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
CONTAINER, POD = "a container", "the pod"

# Control, where it is looked for, the path below, and what may be there.
FIELDS: list[tuple[str, str, str, Callable[[Any], bool]]] = [
    ("HostProcess", CONTAINER, "securityContext.windowsOptions.hostProcess", lambda v: not v),
    ("HostProcess", POD, "securityContext.windowsOptions.hostProcess", lambda v: not v),
    ("Host Namespaces", POD, "hostNetwork", lambda v: not v),
    ("Host Namespaces", POD, "hostPID", lambda v: not v),
    ("Host Namespaces", POD, "hostIPC", lambda v: not v),
    ("Privileged Containers", CONTAINER, "securityContext.privileged", lambda v: not v),
    (
        "Capabilities",
        CONTAINER,
        "securityContext.capabilities.add",
        lambda v: set(v or ()) <= {"NET_BIND_SERVICE"},
    ),
    ("Capabilities", CONTAINER, "securityContext.capabilities.drop", lambda v: "ALL" in (v or ())),
    ("HostPath Volumes", POD, "volumes.*.hostPath", lambda v: v is MISSING),
    ("Host Ports", CONTAINER, "ports.*.hostPort", lambda v: not v),
    (
        "AppArmor",
        CONTAINER,
        "securityContext.appArmorProfile.type",
        lambda v: v in {MISSING, *SECCOMP},
    ),
    ("AppArmor", POD, "securityContext.appArmorProfile.type", lambda v: v in {MISSING, *SECCOMP}),
    *(
        ("SELinux", where, f"securityContext.seLinuxOptions.{key}", allowed)
        for where in (CONTAINER, POD)
        for key, allowed in (
            ("type", SELINUX_TYPES.__contains__),
            ("user", lambda v: not v),
            ("role", lambda v: not v),
        )
    ),
    ("/proc Mount Type", CONTAINER, "securityContext.procMount", lambda v: v in {None, "Default"}),
    ("Sysctls", POD, "securityContext.sysctls.*.name", lambda v: v in {MISSING, *SYSCTLS}),
    ("Volume Types", POD, "volumes.*", lambda v: v is MISSING or v.keys() <= VOLUMES | {"name"}),
    (
        "Privilege Escalation",
        CONTAINER,
        "securityContext.allowPrivilegeEscalation",
        lambda v: v is False,
    ),
    ("Running as Non-root user", CONTAINER, "securityContext.runAsUser", lambda v: v != 0),
    ("Running as Non-root user", POD, "securityContext.runAsUser", lambda v: v != 0),
]
# The same, for what a container may also have from its pod.
INHERITED: list[tuple[str, str, Callable[[Any], bool]]] = [
    ("Running as Non-root", "securityContext.runAsNonRoot", lambda v: v is True),
    ("Seccomp", "securityContext.seccompProfile.type", SECCOMP.__contains__),
]
PROBES = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart")
for _probe in (*PROBES, "lifecycle.preStop"):
    for _handler in ("httpGet", "tcpSocket"):
        FIELDS.append(
            ("Host Probes", CONTAINER, f"{_probe}.{_handler}.host", lambda v: not v),
        )


def violations(manifest: Manifest) -> list[str]:
    """List the controls of the level "restricted" that a pod does not pass, with the field."""
    return list(_violations(manifest))


def _violations(manifest: Manifest) -> Iterator[str]:
    spec = manifest["spec"]
    inside = [item for key in CONTAINER_LISTS for item in spec.get(key) or ()]
    for control, where, path, allows in FIELDS:
        for holder in inside if where is CONTAINER else [spec]:
            if not all(map(allows, _values(holder, path))):
                yield f"{control}: {path} of {holder.get('name', where)}"
    for control, path, allows in INHERITED:
        (general,) = _values(spec, path)
        for container in inside:
            (own,) = _values(container, path)
            if not allows(general if own is MISSING else own):
                yield f"{control}: {path} of {container['name']}"
    for name, value in (manifest["metadata"].get("annotations") or {}).items():
        allowed = value == "runtime/default" or value.startswith("localhost/")
        if name.startswith(APPARMOR) and not allowed:
            yield f"AppArmor: {name}"


def _values(holder: Any, path: str) -> list[Any]:
    """Give what a path leads to; ``*`` stands for each item of a list."""
    found = [holder]
    for step in path.split("."):
        if step == "*":
            found = [item for value in found for item in value or ()]
        else:
            found = [(value or {}).get(step) for value in found]
    return found
