"""Running pods: what a kubelet and a scheduler say about them, on a real node and without one."""

from typing import Any

import pytest

from tests.cluster.api_client import Answer, Api


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
    assert status(pod)["restartCount"] == 1
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


# Init containers


async def test_init_containers_run_first(full_api: Api) -> None:
    mounts = {"volumeMounts": [{"name": "v", "mountPath": "/shared"}]}

    def init(name: str) -> Any:
        script = f"echo {name} >> /shared/order"
        return {"name": name, "image": full_api.image, "command": ["sh", "-c", script], **mounts}

    body = runnable(
        full_api,
        "p",
        "cat /shared/order",
        container=mounts,
        initContainers=[init("a"), init("b")],
        volumes=[{"name": "v", "emptyDir": {}}],
        securityContext={"fsGroup": 100},
    )
    await full_api.created("pods", body)
    pod = await full_api.until("pods", "p", phase("Succeeded"))
    assert await full_api.log("p") == "a\nb\n"
    codes = [
        entry["state"]["terminated"]["exitCode"] for entry in pod["status"]["initContainerStatuses"]
    ]
    assert codes == [0, 0]
    created = await full_api.get("events", fieldSelector="involvedObject.name=p,reason=Created")
    assert {event["involvedObject"]["fieldPath"] for event in created.body["items"]} == {
        "spec.initContainers{a}",
        "spec.initContainers{b}",
        "spec.containers{c}",
    }


async def test_init_container_that_fails(full_api: Api) -> None:
    init = {"name": "a", "image": full_api.image, "command": ["sh", "-c", "exit 2"]}
    await full_api.created("pods", runnable(full_api, "p", "true", initContainers=[init]))
    pod = await full_api.until("pods", "p", phase("Failed"))
    assert status(pod, "initContainerStatuses")["state"]["terminated"]["exitCode"] == 2
    assert status(pod)["state"]["waiting"]["reason"] == "PodInitializing"
    assert conditions(pod)["Initialized"] == "False"


async def test_init_container_that_is_tried_again(full_api: Api) -> None:
    init = {"name": "a", "image": full_api.image, "command": ["sh", "-c", "exit 2"]}
    body = runnable(full_api, "p", "true", initContainers=[init], restartPolicy="OnFailure")
    await full_api.created("pods", body)

    def is_backing_off(pod: Any) -> bool:
        state = status(pod, "initContainerStatuses")["state"]
        return bool(state.get("waiting", {}).get("reason") == "CrashLoopBackOff")

    pod = await full_api.until("pods", "p", is_backing_off)
    assert pod["status"]["phase"] == "Pending"
    assert status(pod)["state"]["waiting"]["reason"] == "PodInitializing"


# The end


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
    pod = await full_api.until("pods", "p", phase("Running"))
    assert not status(pod)["ready"]
    assert conditions(pod)["Ready"] == "False"
    pod = await full_api.until("pods", "p", lambda pod: status(pod).get("ready"))
    assert conditions(pod)["Ready"] == "True"
    event = await full_api.until_event("p", "Unhealthy")
    assert event["type"] == "Warning"
    assert event["message"].startswith("Readiness probe failed:")


# The scheduler


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


# What a container is given


async def test_environment(full_api: Api) -> None:
    namespace = full_api.namespace
    await full_api.created("secrets", {"metadata": {"name": "s"}, "stringData": {"k": "v1"}})
    await full_api.created("configmaps", {"metadata": {"name": "m"}, "data": {"K2": "v2"}})
    env = [
        {"name": "A", "value": "a"},
        {"name": "B", "value": "$(A)$(MISSING)$$(A)"},
        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "M", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "K2"}}},
        {"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "NS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['l']"}}},
        {"name": "AN", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['a']"}}},
        {
            "name": "CPU",
            "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}},
        },
        {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
        {
            "name": "OPT",
            "valueFrom": {"secretKeyRef": {"name": "none", "key": "k", "optional": True}},
        },
    ]
    container = {
        "env": env,
        "envFrom": [{"configMapRef": {"name": "m"}, "prefix": "P_"}],
        "resources": {"limits": {"cpu": "250m", "memory": "64Mi"}, "requests": {"cpu": "10m"}},
        "args": ["$(A)", "$(MISSING)", "$$(A)"],
    }
    script = (
        'printf "%s\\n" "$A" "$B" "$S" "$M" "$N" "$NS" "$L" "$AN" "$CPU" "$MEM" "${OPT-unset}" '
        '"$P_K2" "$HOSTNAME" "$0" "$1" "$2"'
    )
    body = runnable(full_api, "p", script, container=container)
    body["metadata"] |= {"labels": {"l": "v3"}, "annotations": {"a": "v4"}}
    await full_api.created("pods", body)
    await full_api.until("pods", "p", phase("Succeeded"))
    expected = [
        "a",
        "a$(MISSING)$(A)",
        "v1",
        "v2",
        "p",
        namespace,
        "v3",
        "v4",
        "250",
        str(64 * 2**20),
        "unset",
        "v2",
        "p",
        "a",
        "$(MISSING)",
        "$(A)",
    ]
    assert (await full_api.log("p")).splitlines() == expected


async def test_environment_that_comes_later(full_api: Api) -> None:
    env = [{"name": "S", "valueFrom": {"secretKeyRef": {"name": "late", "key": "k"}}}]
    await full_api.created("pods", runnable(full_api, "p", "echo $S", container={"env": env}))
    pod = await full_api.until("pods", "p", waits_for("CreateContainerConfigError"))
    assert pod["status"]["phase"] == "Pending"
    assert status(pod)["state"]["waiting"]["message"] == 'secret "late" not found'
    assert (await full_api.until_event("p", "Failed"))["message"] == (
        'Error: secret "late" not found'
    )
    answer: Answer = await full_api.request("GET", full_api.path("pods", "p", "log"))
    assert (answer.status, answer.reason) == (400, "BadRequest")
    await full_api.created("secrets", {"metadata": {"name": "late"}, "stringData": {"k": "v"}})
    await full_api.until("pods", "p", phase("Succeeded"))
    assert await full_api.log("p") == "v\n"


async def test_volumes(full_api: Api) -> None:
    await full_api.created("secrets", {"metadata": {"name": "s"}, "stringData": {"k": "secret"}})
    await full_api.created(
        "configmaps", {"metadata": {"name": "m"}, "data": {"a": "map-a", "b": "map-b"}}
    )
    annotation = {"path": "passwd", "fieldRef": {"fieldPath": "metadata.annotations['passwd']"}}
    volumes = [
        {"name": "s", "secret": {"secretName": "s"}},
        {"name": "m", "configMap": {"name": "m", "items": [{"key": "b", "path": "d/b"}]}},
        {"name": "d", "downwardAPI": {"items": [annotation]}},
        {
            "name": "all",
            "projected": {
                "sources": [
                    {"secret": {"name": "s"}},
                    {"configMap": {"name": "m", "optional": True}},
                    {"configMap": {"name": "none", "optional": True}},
                    {"downwardAPI": {"items": [annotation]}},
                ]
            },
        },
        {"name": "e", "emptyDir": {}},
    ]
    mounts = [
        {"name": "s", "mountPath": "/v/s"},
        {"name": "m", "mountPath": "/v/m"},
        {"name": "d", "mountPath": "/v/passwd", "subPath": "passwd"},
        {"name": "all", "mountPath": "/v/all"},
        {"name": "e", "mountPath": "/v/e", "subPath": "sub/path"},
    ]
    script = (
        "cat /v/s/k /v/m/d/b /v/passwd /v/all/k /v/all/a /v/all/passwd; echo; ls /v/m; "
        "touch /v/e/file && ls /v/e"
    )
    body = runnable(
        full_api,
        "p",
        script,
        container={"volumeMounts": mounts},
        volumes=volumes,
        securityContext={"runAsUser": 0},
    )
    body["metadata"]["annotations"] = {"passwd": "alice:x:1000"}
    await full_api.created("pods", body)
    pod = await full_api.until("pods", "p", lambda pod: "terminated" in status(pod)["state"])
    log = await full_api.log("p")
    assert log == "secretmap-balice:x:1000secretmap-aalice:x:1000\nd\nfile\n", log
    assert pod["status"]["phase"] == "Succeeded"


async def test_volume_that_comes_later(full_api: Api) -> None:
    container = {"volumeMounts": [{"name": "s", "mountPath": "/s"}]}
    volumes = [{"name": "s", "secret": {"secretName": "late"}}]
    body = runnable(full_api, "p", "cat /s/k", container=container, volumes=volumes)
    await full_api.created("pods", body)
    event = await full_api.until_event("p", "FailedMount")
    assert event["type"] == "Warning"
    assert 'MountVolume.SetUp failed for volume "s" : secret "late" not found' in event["message"]
    pod = (await full_api.get("pods", "p")).body
    assert status(pod)["state"]["waiting"]["reason"] == "ContainerCreating"
    await full_api.created("secrets", {"metadata": {"name": "late"}, "stringData": {"k": "v"}})
    await full_api.until("pods", "p", phase("Succeeded"))
    assert await full_api.log("p") == "v"


async def test_unknown_container_has_no_log(full_api: Api) -> None:
    await full_api.created("pods", runnable(full_api, "p", "true"))
    path = full_api.path("pods", "p", "log")
    answer = await full_api.request("GET", path, container="none")
    assert (answer.status, answer.reason) == (400, "BadRequest")
    answer = await full_api.request("GET", full_api.path("pods", "none", "log"))
    assert (answer.status, answer.reason) == (404, "NotFound")


async def test_log_is_followed_to_its_end(full_api: Api) -> None:
    await full_api.created("pods", runnable(full_api, "p", "echo a; sleep 2; echo b"))
    await full_api.until("pods", "p", lambda pod: phase("Running")(pod) or phase("Succeeded")(pod))
    assert await full_api.log("p", follow="true") == "a\nb\n"
