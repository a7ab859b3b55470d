"""What people are told when Kubernetes does not run their pod."""

from __future__ import annotations

import json

import pytest

from jhext.failure import api_failure, not_in_time, pod_failure


@pytest.mark.parametrize(
    ("status", "message", "reason", "code", "words"),
    [
        (
            403,
            'pods "jupyter-ada" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, '
            "limited: pods=0",
            "quota",
            429,
            "quota is used up: requested: pods=1, used: pods=0, limited: pods=0.",
        ),
        (
            403,
            'pods "jupyter-ada" is forbidden: [maximum cpu usage per Container is 1, but limit is '
            "7, maximum memory usage per Container is 1Gi, but limit is 2Gi]",
            "limit",
            403,
            "maximum cpu usage per Container is 1, but limit is 7",
        ),
        (
            403,
            'pods is forbidden: User "system:serviceaccount:ns:hub" cannot create resource "pods" '
            'in API group "" in the namespace "ns"',
            "config",
            503,
            "The hub may not create pods.",
        ),
        (401, "Unauthorized", "config", 503, "The hub may not do this in the cluster."),
        (
            422,
            'Pod "jupyter-ada" is invalid: metadata.annotations: too long',
            "config",
            503,
            "valid",
        ),
        (429, "too many requests", "cluster", 503, "does not answer"),
        (500, "etcdserver: leader changed", "cluster", 503, "does not answer"),
        (0, "Connection reset", "cluster", 503, "does not answer"),
    ],
    ids=["quota", "limit", "role", "token", "invalid", "busy", "error", "network"],
)
def test_answers_of_the_api_server(status, message, reason, code, words):
    for body in (json.dumps({"kind": "Status", "message": message}), message, message.encode()):
        refusal = api_failure(status, body)
        assert (refusal.reason, refusal.status_code) == (reason, code)
        assert words in refusal.message
        assert message in refusal.detail


def pod(status=None, **metadata):
    return {"metadata": metadata, "status": status or {}}


def waiting(reason, message="", **rest):
    state = {"state": {"waiting": {"reason": reason, "message": message}}, "image": "reg/x:1"}
    return {"phase": "Pending", "containerStatuses": [state | rest]}


@pytest.mark.parametrize(
    ("seen", "reason", "words"),
    [
        (pod(waiting("ImagePullBackOff")), "image", "The image reg/x:1 cannot be pulled."),
        (pod(waiting("InvalidImageName")), "image", "The image reg/x:1 is not a valid name."),
        (
            pod(waiting("RunContainerError", "exec: not found")),
            "container",
            "The container cannot be started: exec: not found",
        ),
        (
            pod(waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 3}})),
            "container",
            "ended with exit code 3",
        ),
        (
            pod(
                waiting(
                    "CrashLoopBackOff",
                    lastState={
                        "terminated": {
                            "exitCode": 128,
                            "reason": "StartError",
                            "message": "exec: no",
                        }
                    },
                )
            ),
            "container",
            "The container cannot be started: exec: no",
        ),
        (
            pod({"initContainerStatuses": waiting("CreateContainerError")["containerStatuses"]}),
            "container",
            "cannot be started: CreateContainerError",
        ),
        (
            pod({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}),
            "evicted",
            "evicted. Evicted: low on memory",
        ),
        (pod(deletionTimestamp="2026-01-01T00:00:00Z"), "evicted", "was deleted"),
    ],
)
def test_pods_that_will_never_be_ready(seen, reason, words):
    refusal = pod_failure(seen)
    assert refusal is not None
    assert refusal.reason == reason
    assert words in refusal.message


@pytest.mark.parametrize(
    "seen",
    [
        pod(),
        pod({"phase": "Pending"}),
        pod(waiting("ContainerCreating")),
        pod(waiting("ErrImagePull")),  # the kubelet tries once more before it backs off
        pod({"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]}),
    ],
)
def test_pods_that_may_yet_be_ready(seen):
    assert pod_failure(seen) is None


def test_a_pod_that_fits_nowhere():
    conditions = [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient cpu.",
        }
    ]
    refusal = not_in_time(pod({"conditions": conditions}), [{"message": "noise"}], 30)
    assert refusal.reason == "timeout"
    assert "does not fit" in refusal.message
    assert "1 Insufficient cpu." in refusal.message


def test_the_last_event_is_told():
    refusal = not_in_time(pod(), [{"message": "first"}, {"message": "MountVolume failed"}], 30)
    assert refusal.message == "Your server did not start in 30 seconds. MountVolume failed"
    assert not_in_time(None, [], 30).message == "Your server did not start in 30 seconds."


@pytest.mark.parametrize("name", ["jhext-inithome", "jhext-directories"])
@pytest.mark.parametrize("waits", [False, True])
def test_d39_what_keeps_a_home_from_being_prepared_is_told_at_once(name, waits):
    ended = {"exitCode": 1, "message": "warning: x\nthere is no space left in your home\n"}
    state = {"waiting": {"reason": "CrashLoopBackOff"}} if waits else {"terminated": ended}
    status = {"name": name, "state": state, "lastState": {"terminated": ended}}
    refusal = pod_failure({"metadata": {}, "status": {"initContainerStatuses": [status]}})
    assert refusal.reason == "storage_unprepared"
    expected = "Your files could not be made ready: there is no space left in your home"
    assert refusal.message == expected


def test_a_home_that_was_prepared_is_no_failure():
    status = {"name": "jhext-inithome", "state": {"terminated": {"exitCode": 0}}}
    assert pod_failure({"metadata": {}, "status": {"initContainerStatuses": [status]}}) is None
