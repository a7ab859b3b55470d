"""The scheduler: why a pod has no node."""

from typing import Any

import pytest

from tests.cluster.api_client import Api
from tests.cluster.pods_to_run import runnable


@pytest.mark.parametrize(
    ("spec", "resources", "message"),
    [
        (
            {"nodeSelector": {"no": "such"}},
            {},
            "0/1 nodes are available: 1 node(s) didn't match",
        ),
        (
            {},
            {"limits": {"example.test/gpu": "1"}},
            "0/1 nodes are available: 1 Insufficient example.test/gpu.",
        ),
        (
            {},
            {"requests": {"memory": "900Ti"}},
            "0/1 nodes are available: 1 Insufficient memory.",
        ),
        (
            {},
            {"requests": {"cpu": "100k"}},
            "0/1 nodes are available: 1 Insufficient cpu.",
        ),
    ],
)
async def test_cannot_be_scheduled(full_api: Api, spec: Any, resources: Any, message: str) -> None:
    container = {"resources": resources}
    await full_api.created("pods", runnable(full_api, "p", "true", container=container, **spec))
    event = await full_api.until_event("p", "FailedScheduling")
    assert event["type"] == "Warning"
    assert event["message"].startswith(message)
    pod = await full_api.until("pods", "p", lambda pod: pod["status"].get("conditions"))
    assert pod["status"]["phase"] == "Pending"
    [condition] = pod["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("PodScheduled", "False")
    assert condition["reason"] == "Unschedulable"
    assert condition["message"].startswith(message)
    assert "podIP" not in pod["status"]


async def test_claim_that_is_missing(full_api: Api) -> None:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    await full_api.created("pods", runnable(full_api, "p", "true", volumes=volumes))
    event = await full_api.until_event("p", "FailedScheduling")
    assert 'persistentvolumeclaim "c" not found' in event["message"]
