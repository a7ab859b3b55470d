"""Init containers: before all others, one after the other, or not at all."""

from typing import Any

from tests.cluster.api_client import Api
from tests.cluster.bench import until
from tests.cluster.pods_to_run import conditions, phase, runnable, status


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
    expected = {"spec.initContainers{a}", "spec.initContainers{b}", "spec.containers{c}"}

    async def are_told() -> bool:  # a kubelet may be late with events
        query = {"fieldSelector": "involvedObject.name=p,reason=Created"}
        created = (await full_api.get("events", **query)).body["items"]
        return {event["involvedObject"]["fieldPath"] for event in created} == expected

    await until(are_told, "there is an event for each container")


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
