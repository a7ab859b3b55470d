"""etcd and kube-apiserver: on one address, nothing anonymous, new pods in the audit log."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import httpx
import yaml

from jhext.demo.processes import Children, free_port
from tests.cluster.kubernetes.kubeconfig import Cluster, reachable_as
from tests.cluster.kubernetes.pki import Authority, KeyPair
from tests.cluster.kubernetes.server import Server

LOOPBACK = "127.0.0.1"
SERVICE_NETWORK = "10.97.0.0/24"

# What hubs have asked for, so that a test can see it. All else would cost more than to serve it.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "Request",
            "verbs": ["create"],
            "resources": [{"group": "", "resources": ["pods", "persistentvolumeclaims"]}],
        },
        {"level": "None"},
    ],
}


@dataclass(frozen=True)
class ControlPlane:
    """The two programs: envtest's layout, or a build of ours beside Debian's etcd."""

    kube_apiserver: Path
    etcd: Path


@contextmanager
def running_etcd(etcd: Path, directory: Path, authority: Authority) -> Iterator[str]:
    """Run etcd on loopback for clients with a certificate of `authority`; yield its address."""
    pair = authority.issue("etcd", LOOPBACK)
    url, peer = (f"https://{LOOPBACK}:{free_port()}" for _ in range(2))
    command = [
        str(etcd),
        "--data-dir=etcd",
        "--unsafe-no-fsync",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        *(
            f"--{prefix}{flag}"
            for prefix in ("", "peer-")
            for flag in (
                "client-cert-auth",
                f"trusted-ca-file={authority.certificate}",
                f"cert-file={pair.certificate}",
                f"key-file={pair.key}",
            )
        ),
    ]
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(pair.certificate, pair.key)

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/health", verify=context, trust_env=False).is_success
        except httpx.TransportError:
            return False

    with Children() as children:
        Server(children, "etcd", command, directory, ready).start()
        yield url


@contextmanager
def running_apiserver(
    programs: ControlPlane,
    directory: Path,
    authority: Authority,
    accounts: KeyPair,
    *,
    address: str = LOOPBACK,
    flags: Sequence[str] = ("--disable-admission-plugins=ServiceAccount",),
) -> Iterator[Cluster]:
    """Run etcd and kube-apiserver with their files in `directory`.

    The tokens of service accounts are signed with the key of `accounts`. The default `flags` are
    for a server alone: without a controller manager nobody makes service accounts.
    """
    token, port = token_hex(32), free_port()
    tokens = directory / "tokens.csv"
    tokens.touch(mode=0o600)
    tokens.write_text(f"{token},admin,admin,system:masters\n")
    policy = directory / "audit-policy.yaml"
    policy.write_text(yaml.safe_dump(AUDIT_POLICY))
    own = authority.issue("apiserver", address, organization="system:masters")
    audit_log = directory / "audit.log"
    audit_log.touch(mode=0o600)  # there before anything was asked for
    url = f"https://{address}:{port}"
    cluster = reachable_as(url, authority.certificate, token, directory / "kubeconfig", audit_log)

    def ready() -> bool:
        # The namespace is made a moment after the server says that it is ready.
        paths = ("/readyz", "/api/v1/namespaces/default")
        try:
            return all(client.get(path).is_success for path in paths)
        except httpx.TransportError:
            return False

    with (
        cluster.client() as client,
        running_etcd(programs.etcd, directory, authority) as etcd_url,
        Children() as children,
    ):
        command = [
            str(programs.kube_apiserver),
            f"--etcd-servers={etcd_url}",
            f"--etcd-cafile={authority.certificate}",
            f"--etcd-certfile={own.certificate}",
            f"--etcd-keyfile={own.key}",
            f"--bind-address={address}",
            f"--advertise-address={address}",
            f"--secure-port={port}",
            f"--tls-cert-file={own.certificate}",
            f"--tls-private-key-file={own.key}",
            f"--client-ca-file={authority.certificate}",
            f"--kubelet-certificate-authority={authority.certificate}",
            f"--kubelet-client-certificate={own.certificate}",
            f"--kubelet-client-key={own.key}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--token-auth-file={tokens}",
            "--anonymous-auth=false",
            "--authorization-mode=RBAC",
            f"--service-account-key-file={accounts.key}",
            f"--service-account-signing-key-file={accounts.key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            "--endpoint-reconciler-type=none",
            "--allow-privileged=true",
            f"--audit-policy-file={policy}",
            f"--audit-log-path={audit_log}",
            *flags,
        ]
        Server(children, "kube-apiserver", command, directory, ready).start()
        yield cluster
