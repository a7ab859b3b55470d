"""The API server that the tests start: closed to strangers, and a judge of manifests."""

import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster.kubernetes.dryrun import RefusedManifestError
from tests.cluster.kubernetes.given import given_cluster
from tests.cluster.kubernetes.kubeconfig import Cluster


def test_no_token_no_answer(apiserver: Cluster) -> None:
    context = ssl.create_default_context(cafile=str(apiserver.ca_file))
    answer = httpx.get(f"{apiserver.url}/api/v1/pods", verify=context, trust_env=False)
    assert answer.status_code in (401, 403)


def test_certificate_is_verified_by_the_given_authority_only(apiserver: Cluster) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{apiserver.url}/readyz", trust_env=False)


def test_dry_run_keeps_nothing(
    apiserver: Cluster, dry_run: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "jhext-dry-run"}}
    assert dry_run(manifest)["metadata"]["uid"]
    with apiserver.client() as client:
        path = "/api/v1/namespaces/default/configmaps/jhext-dry-run"
        assert client.get(path).status_code == 404


def test_dry_run_passes_the_refusal_on(
    dry_run: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "empty"}, "spec": {}}
    with pytest.raises(RefusedManifestError, match=r"spec\.containers: Required value"):
        dry_run(manifest)


def test_audit_log_tells_what_was_asked_for(apiserver: Cluster) -> None:
    if apiserver.audit_log is None:
        pytest.skip("not on a cluster whose audit log is not ours to read")
    name = "asked-for-and-refused"
    with apiserver.client() as client:
        client.post("/api/v1/namespaces/default/pods", json={"metadata": {"name": name}})
    events = [json.loads(line) for line in apiserver.audit_log.read_text().splitlines()]
    asked = [
        e["requestObject"]["metadata"]["name"]
        for e in events
        if e["verb"] == "create" and e.get("requestObject")
    ]
    assert name in asked


def test_given_cluster_yields_an_administrator_for_the_block(
    apiserver: Cluster, tmp_path: Path
) -> None:
    with given_cluster(apiserver.kubeconfig, tmp_path) as cluster, cluster.client() as client:
        assert client.get("/api/v1/nodes").is_success
        second = tmp_path / "second"
        second.mkdir()
        with given_cluster(cluster.kubeconfig, second) as again:
            assert again.token != cluster.token
        assert client.get("/api/v1/nodes").is_success
    with cluster.client() as client:
        assert client.get("/api/v1/nodes").is_client_error
