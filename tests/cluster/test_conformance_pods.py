"""Running pods: what a kubelet says about them, on a real node and without one."""

import pytest

from tests.cluster.api_client import Api
from tests.cluster.pods_to_run import conditions, phase, runnable, status, waits_for


async def test_runs_to_its_end(full_api: Api) -> None:
    await full_api.created("pods", runnable(full_api, "p", "echo one; echo two >&2"))
    pod = await full_api.until("pods", "p", phase("Succeeded"))
    ended = status(pod)["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (0, "Completed")
    assert ended["startedAt"] <= ended["finishedAt"]
    assert pod["spec"]["nodeName"]
    assert not status(pod)["ready"]
    assert sorted((await full_api.log("p")).splitlines()) == ["one", "two"]
    assert await full_api.log("p", tailLines="1") in ("one\n", "two\n")
    assert await full_api.log("p", tailLines="0") == ""


async def test_running(full_api: Api) -> None:
    await full_api.created("pods", runnable(full_api, "p", "echo up; exec sleep 60"))
    pod = await full_api.until("pods", "p", phase("Running"))
    assert pod["status"]["podIP"]
    assert pod["status"]["hostIP"]
    assert pod["status"]["startTime"]
    assert status(pod)["ready"]
    assert status(pod)["started"]
    assert status(pod)["restartCount"] == 0
    assert status(pod)["state"]["running"]["startedAt"]
    assert conditions(pod) == {
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        event = await full_api.until_event("p", reason)
        assert event["type"] == "Normal"
        assert event["involvedObject"]["uid"] == pod["metadata"]["uid"]
    assert event["involvedObject"]["fieldPath"] == "spec.containers{c}"
    assert event["source"]["component"] == "kubelet"
    assert (await full_api.until_event("p", "Scheduled"))["message"] == (
        f"Successfully assigned {full_api.namespace}/p to {pod['spec']['nodeName']}"
    )


@pytest.mark.parametrize(
    ("script", "code"), [("exit 3", 3), ("kill -9 $$$$", 137), ("kill -TERM $$$$", 143)]
)
async def test_fails(full_api: Api, script: str, code: int) -> None:
    # "$$" stands for "$" in a command. Process 1 of a PID namespace takes no signals from itself,
    # so a child has to be the one.
    script = script if "exit" in script else f"sh -c '{script}'; exit $?"
    await full_api.created("pods", runnable(full_api, "p", script))
    pod = await full_api.until("pods", "p", phase("Failed"))
    ended = status(pod)["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, "Error")


async def test_restarted_after_failure(full_api: Api) -> None:
    script = "echo try; exit 1"
    body = runnable(full_api, "p", script, restartPolicy="OnFailure")
    await full_api.created("pods", body)
    pod = await full_api.until("pods", "p", waits_for("CrashLoopBackOff"))
    assert pod["status"]["phase"] == "Running"
    assert status(pod)["restartCount"] >= 1
    assert status(pod)["lastState"]["terminated"]["exitCode"] == 1
    assert not status(pod)["ready"]
    event = await full_api.until_event("p", "BackOff")
    assert event["type"] == "Warning"
    assert event["message"] == "Back-off restarting failed container"
    assert await full_api.log("p", previous="true") == "try\n"


async def test_not_restarted_after_success(full_api: Api) -> None:
    await full_api.created("pods", runnable(full_api, "p", "true", restartPolicy="OnFailure"))
    pod = await full_api.until("pods", "p", phase("Succeeded"))
    assert status(pod)["restartCount"] == 0


async def test_always_restarted(full_api: Api) -> None:
    await full_api.created("pods", runnable(full_api, "p", "true", restartPolicy="Always"))
    pod = await full_api.until("pods", "p", waits_for("CrashLoopBackOff"))
    assert pod["status"]["phase"] == "Running"
    assert status(pod)["lastState"]["terminated"]["exitCode"] == 0


async def test_command_that_is_not_there(full_api: Api) -> None:
    container = {"command": ["no-such-command"]}
    await full_api.created("pods", runnable(full_api, "p", "", container=container))
    pod = await full_api.until("pods", "p", phase("Failed"))
    ended = status(pod)["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert '"no-such-command": executable file not found in $PATH' in ended["message"]
    event = await full_api.until_event("p", "Failed")
    assert event["type"] == "Warning"
    assert "executable file not found in $PATH" in event["message"]


async def test_image_that_cannot_be_pulled(full_api: Api) -> None:
    container = {"image": "unpullable/image:1"}
    await full_api.created("pods", runnable(full_api, "p", "true", container=container))
    await full_api.until("pods", "p", waits_for("ErrImagePull"))
    pod = await full_api.until("pods", "p", waits_for("ImagePullBackOff"))
    assert pod["status"]["phase"] == "Pending"
    assert status(pod)["state"]["waiting"]["message"] == (
        'Back-off pulling image "unpullable/image:1"'
    )
    assert (await full_api.until_event("p", "Pulling"))["message"] == (
        'Pulling image "unpullable/image:1"'
    )
    assert (await full_api.until_event("p", "Failed"))["type"] == "Warning"
    assert (await full_api.until_event("p", "BackOff"))["message"] == (
        'Back-off pulling image "unpullable/image:1"'
    )
