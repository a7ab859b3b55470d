"""The kubeconfig of the embedded cluster, and the certificate that it trusts."""

from __future__ import annotations

import os
import shutil
import ssl
from pathlib import Path

import yaml
from certipy import Certipy  # type: ignore[import-untyped]

_CONTEXT = "devcluster"


def make_certificate(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for 127.0.0.1 and return the server's TLS context and the CA's file.

    The API speaks TLS because clients in Go, such as kubectl, send no token without it.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    certificates = Certipy(store_dir=str(directory))
    certificates.create_ca("ca")
    record = certificates.create_signed_pair(
        "apiserver", "ca", alt_names=["IP:127.0.0.1", "DNS:localhost"]
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(record["files"]["cert"], record["files"]["key"])
    return context, Path(record["files"]["ca"])


def write_kubeconfig(path: Path, *, url: str, ca_file: Path, token: str, namespace: str) -> None:
    """Write a kubeconfig, complete from the moment that it is there.

    Only its owner can read it: whoever has the token can run processes as its owner.
    """
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": _CONTEXT,
                "cluster": {"server": url, "certificate-authority": str(ca_file)},
            }
        ],
        "users": [{"name": _CONTEXT, "user": {"token": token}}],
        "contexts": [
            {
                "name": _CONTEXT,
                "context": {"cluster": _CONTEXT, "user": _CONTEXT, "namespace": namespace},
            }
        ],
        "current-context": _CONTEXT,
    }
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(document, file)
    partial.replace(path)
