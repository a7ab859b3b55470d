"""Pods that the conformance tests run, and what is read off them."""

from typing import Any

from tests.cluster.api_client import Api


def runnable(
    api: Api, name: str, script: str, *, container: dict[str, Any] | None = None, **spec: Any
) -> Any:
    """Return a pod that runs a shell script, once."""
    main = {"name": "c", "image": api.image, "command": ["sh", "-c", script], **(container or {})}
    return {
        "metadata": {"name": name},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [main],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 3,
            **spec,
        },
    }


def phase(wanted: str) -> Any:
    return lambda pod: pod["status"].get("phase") == wanted


def status(pod: Any, field: str = "containerStatuses") -> Any:
    return (pod["status"].get(field) or [{"state": {}}])[0]


def waits_for(*reasons: str) -> Any:
    return lambda pod: status(pod)["state"].get("waiting", {}).get("reason") in reasons


def conditions(pod: Any) -> dict[str, str]:
    return {entry["type"]: entry["status"] for entry in pod["status"]["conditions"]}
