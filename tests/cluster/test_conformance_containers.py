"""What a container is given, and what is read of it: environment, volumes, log."""

from tests.cluster.api_client import Answer, Api
from tests.cluster.pods_to_run import phase, runnable, status, waits_for


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
    await full_api.until("pods", "p", waits_for("ContainerCreating"))
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
