"""Pods that end when they are told to, and pods that are not ready at once."""

from datetime import datetime, timedelta

from tests.cluster.api_client import Api
from tests.cluster.pods_to_run import conditions, phase, runnable, status


async def test_ends_by_sigterm(full_api: Api) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    await full_api.created("pods", runnable(full_api, "p", script))
    await full_api.until("pods", "p", phase("Running"))
    while await full_api.log("p") != "up\n":
        pass
    await full_api.delete("pods", "p")
    last = await full_api.until_gone(full_api.path("pods"), "p")
    assert last["metadata"]["deletionTimestamp"]
    event = await full_api.until_event("p", "Killing")
    assert (event["type"], event["message"]) == ("Normal", "Stopping container c")


async def test_killed_after_its_grace(full_api: Api) -> None:
    script = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    body = runnable(full_api, "p", script, terminationGracePeriodSeconds=1)
    await full_api.created("pods", body)
    await full_api.until("pods", "p", phase("Running"))
    await full_api.delete("pods", "p")
    await full_api.until_gone(full_api.path("pods"), "p")


async def test_finished_pod_can_be_deleted(full_api: Api) -> None:
    await full_api.created("pods", runnable(full_api, "p", "true"))
    await full_api.until("pods", "p", phase("Succeeded"))
    await full_api.delete("pods", "p")
    await full_api.until_gone(full_api.path("pods"), "p")


# Readiness


async def test_becomes_ready(full_api: Api) -> None:
    probe = {"exec": {"command": ["test", "-e", "/shared/ready"]}, "periodSeconds": 1}
    mounts = [{"name": "v", "mountPath": "/shared"}]
    body = runnable(
        full_api,
        "p",
        "sleep 3; touch /shared/ready; exec sleep 60",
        container={"readinessProbe": probe, "volumeMounts": mounts},
        volumes=[{"name": "v", "emptyDir": {}}],
        securityContext={"fsGroup": 100},
    )
    await full_api.created("pods", body)
    pod = await full_api.until("pods", "p", lambda pod: status(pod).get("ready"))
    ready = next(entry for entry in pod["status"]["conditions"] if entry["type"] == "Ready")
    assert ready["status"] == "True"
    # A busy kubelet tells of both states at once, but when each began.
    started = datetime.fromisoformat(status(pod)["state"]["running"]["startedAt"])
    assert datetime.fromisoformat(ready["lastTransitionTime"]) - started >= timedelta(seconds=2)


async def test_never_becomes_ready(full_api: Api) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1}
    container = {"readinessProbe": probe}
    body = runnable(full_api, "p", "exec sleep 60", container=container)
    await full_api.created("pods", body)
    event = await full_api.until_event("p", "Unhealthy")
    assert event["type"] == "Warning"
    assert event["message"].startswith("Readiness probe failed:")
    pod = await full_api.until("pods", "p", phase("Running"))
    assert not status(pod)["ready"]
    assert conditions(pod)["Ready"] == "False"
