"""A whole Kubernetes node: control plane, containerd, and a kubelet that runs pods."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import yaml

from jhext.demo.processes import Children, free_port
from tests.cluster.kubernetes.apiserver import LOOPBACK, ControlPlane, running_apiserver
from tests.cluster.kubernetes.binaries import KUBERNETES
from tests.cluster.kubernetes.bridge import ADDRESS, PLUGINS, bridge, write_cni
from tests.cluster.kubernetes.build import BUILDS, HINT
from tests.cluster.kubernetes.image_store import CONTAINERD, copy_store
from tests.cluster.kubernetes.images import PAUSE
from tests.cluster.kubernetes.kubeconfig import Cluster
from tests.cluster.kubernetes.machine import (
    control_group,
    kernel_settings_restored,
    private_directories,
)
from tests.cluster.kubernetes.node_init import Plan, first_process
from tests.cluster.kubernetes.pki import Authority, KeyPair
from tests.cluster.kubernetes.server import Server

NODE = "node1"
CGROUP = "jhext-test-node"
TOOLS = ("etcd", "containerd", "ctr", "runc", "ip", "setpriv", "unshare")


def node_is_unavailable() -> str | None:
    """Return why `running_node` can't work on this machine, or None."""
    if missing := [build.name for build in BUILDS if not build.is_there]:
        return f"no node: {', '.join(missing)} not built; {HINT}"
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        return f"no node: {', '.join(missing)} not installed"
    if not Path(PLUGINS, "bridge").exists():
        return f"no node: no CNI plugins in {PLUGINS}"
    return "no node: it needs root" if os.geteuid() else None


@contextmanager
def running_node(directory: Path, storage: Path) -> Iterator[tuple[Cluster, Server]]:
    """Run a node that has the users' image; yield the way in, and the kubelet.

    Parameters
    ----------
    directory
        Where logs, keys and the API server's data go.
    storage
        Where containers go; on the same file system as the images.
    """
    authority = Authority(directory)
    accounts = authority.issue("service-accounts")
    programs = KUBERNETES.directory
    control_plane = ControlPlane(programs / "kube-apiserver", Path(shutil.which("etcd") or ""))
    with ExitStack() as stack:
        stack.enter_context(bridge())
        cluster = stack.enter_context(
            running_apiserver(
                control_plane, directory, authority, accounts, address=ADDRESS, flags=()
            )
        )
        children = stack.enter_context(Children())
        for name, flags in (
            ("kube-scheduler", ()),
            (
                "kube-controller-manager",
                (
                    f"--service-account-private-key-file={accounts.key}",
                    f"--root-ca-file={authority.certificate}",
                    "--node-monitor-grace-period=10s",  # so that a lost node is seen soon
                    "--node-monitor-period=1s",
                ),
            ),
        ):
            command = [*_controller(programs / name, cluster, authority), *flags]
            Server(children, name, command, directory, lambda: True).start()
        stack.enter_context(kernel_settings_restored())
        private = stack.enter_context(private_directories(storage))
        stack.enter_context(control_group(CGROUP))
        kubelet = stack.enter_context(_kubelet(cluster, authority, private))
        yield cluster, kubelet


@contextmanager
def _kubelet(cluster: Cluster, authority: Authority, private: dict[str, str]) -> Iterator[Server]:
    directory = cluster.kubeconfig.parent
    copy_store(Path(private[CONTAINERD]))
    run_kubelet = [
        str(KUBERNETES.directory / "kubelet"),
        f"--config={_kubelet_config(directory, authority, authority.issue(NODE, ADDRESS))}",
        f"--kubeconfig={cluster.kubeconfig}",
        f"--hostname-override={NODE}",
        f"--node-ip={ADDRESS}",
        "--container-runtime=remote",
        "--container-runtime-endpoint=unix:///run/containerd/containerd.sock",
    ]
    plan = Plan(private, _containerd_config(directory), [run_kubelet])
    command = first_process(plan, directory / "node.json")
    with cluster.client() as client, Children() as children:
        node = Server(children, "node", command, directory, lambda: _is_ready(client))
        try:
            node.start()
            yield node
        finally:
            node.kill()


def _is_ready(client: httpx.Client) -> bool:
    """Tell whether the node and the default service account are there to run a pod."""
    node = client.get(f"/api/v1/nodes/{NODE}")
    account = client.get("/api/v1/namespaces/default/serviceaccounts/default")
    if node.is_error or account.is_error:
        return False
    conditions = {c["type"]: c["status"] for c in node.json()["status"].get("conditions", ())}
    return conditions.get("Ready") == "True"


def _controller(program: Path, cluster: Cluster, authority: Authority) -> list[str]:
    pair = authority.issue(program.name, LOOPBACK)
    return [
        str(program),
        *(
            f"--{purpose}kubeconfig={cluster.kubeconfig}"
            for purpose in ("", "authentication-", "authorization-")
        ),
        "--leader-elect=false",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={free_port()}",
        "--port=0",
        f"--tls-cert-file={pair.certificate}",
        f"--tls-private-key-file={pair.key}",
    ]


def _containerd_config(directory: Path) -> str:
    write_cni(directory / "cni")
    file = directory / "containerd.toml"
    file.write_text(
        f"""version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "{CONTAINERD}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE.name}"
  # Without CAP_SYS_RESOURCE oom_score_adj can't be lowered, and runc then fails oddly.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{PLUGINS}"
    conf_dir = "{directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""
    )
    return str(file)


def _kubelet_config(directory: Path, authority: Authority, own: KeyPair) -> str:
    content = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "port": free_port(),
        "healthzPort": 0,
        "readOnlyPort": 0,
        "tlsCertFile": str(own.certificate),
        "tlsPrivateKeyFile": str(own.key),
        "authentication": {
            "anonymous": {"enabled": False},
            "x509": {"clientCAFile": str(authority.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "nodeStatusUpdateFrequency": "2s",  # it is ready ten seconds earlier so
        "volumeStatsAggPeriod": "2s",  # so that a volume that is too full is seen soon
        "makeIPTablesUtilChains": False,  # nothing here needs the machine's firewall
        "clusterDNS": [ADDRESS],  # nobody answers there, and says so at once
        "clusterDomain": "cluster.local",
        "imageGCHighThresholdPercent": 100,  # a full disk must not cost the users' image
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
        },
    }
    file = directory / "kubelet.yaml"
    file.write_text(yaml.safe_dump(content))
    return str(file)
