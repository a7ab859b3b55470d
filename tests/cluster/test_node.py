"""The node that the tests start: it runs pods."""

import time
from secrets import token_hex

from tests.cluster.kubernetes.kubeconfig import Node


def test_a_pod_runs_and_its_output_is_readable(node: Node) -> None:
    name = f"hello-{token_hex(4)}"
    pods = "/api/v1/namespaces/default/pods"
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": node.image, "args": ["id"]}],
        },
    }
    with node.client() as client:
        client.post(pods, json=manifest).raise_for_status()
        while client.get(f"{pods}/{name}").json()["status"]["phase"] not in ("Succeeded", "Failed"):
            time.sleep(0.2)
        assert client.get(f"{pods}/{name}/log").text.startswith("uid=1000(jovyan) gid=100(users)")
        client.delete(f"{pods}/{name}").raise_for_status()
