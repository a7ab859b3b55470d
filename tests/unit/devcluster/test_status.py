"""The phase and conditions of a pod."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.devcluster.status import (
    ContainerStatus,
    pod_phase,
    pod_status,
    terminated,
    waiting,
)

NEW = waiting("ContainerCreating")
RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
DONE = terminated(0, "Completed", "2026-01-01T00:00:00Z")
FAILED = terminated(1, "Error", "2026-01-01T00:00:00Z")


def container(state: Any, last: Any = None, ready: bool = False) -> ContainerStatus:
    return ContainerStatus("c", "image", state, last or {}, ready)


@pytest.mark.parametrize(
    ("policy", "init", "main", "expected"),
    [
        ("Always", [], [container(NEW)], "Pending"),
        ("Always", [], [container(RUNNING), container(NEW)], "Pending"),
        ("Always", [], [container(RUNNING)], "Running"),
        ("Always", [], [container(DONE)], "Running"),
        ("OnFailure", [], [container(DONE)], "Succeeded"),
        ("OnFailure", [], [container(FAILED)], "Running"),
        ("OnFailure", [], [container(waiting("CrashLoopBackOff"), FAILED)], "Running"),
        ("Never", [], [container(DONE)], "Succeeded"),
        ("Never", [], [container(FAILED)], "Failed"),
        ("Never", [], [container(FAILED), container(DONE)], "Failed"),
        ("Never", [], [container(FAILED), container(RUNNING)], "Running"),
        ("Never", [container(RUNNING)], [container(NEW)], "Pending"),
        ("Never", [container(FAILED)], [container(NEW)], "Failed"),
        ("OnFailure", [container(FAILED)], [container(NEW)], "Pending"),
        ("Never", [container(DONE)], [container(RUNNING)], "Running"),
    ],
)
def test_phase(policy: str, init: Any, main: Any, expected: str) -> None:
    assert pod_phase(policy, init, main) == expected


def status_of(pod: Any, *main: ContainerStatus) -> Any:
    return pod_status(pod, init=[], main=main, address="127.77.0.2", host="127.77.0.1")


def test_conditions_keep_their_time_while_they_hold() -> None:
    pod: Any = {"spec": {"restartPolicy": "Never"}, "status": {"phase": "Pending"}}
    first = status_of(pod, container(RUNNING))
    for condition in first["conditions"]:
        condition["lastTransitionTime"] = "2001-01-01T00:00:00Z"
    second = status_of({**pod, "status": first}, container(RUNNING, ready=True))
    times = {entry["type"]: entry["lastTransitionTime"] for entry in second["conditions"]}
    assert times["Initialized"] == times["PodScheduled"] == "2001-01-01T00:00:00Z"
    assert times["Ready"] > "2002"
    assert second["startTime"] == first["startTime"]


def test_unready_containers_are_named() -> None:
    pod = {"spec": {"restartPolicy": "Never"}, "status": {"phase": "Pending"}}
    [ready] = [
        entry
        for entry in status_of(pod, container(RUNNING))["conditions"]
        if entry["type"] == "Ready"
    ]
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [c]"
