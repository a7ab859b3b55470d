"""Pods as processes: what a conformance test on a real node cannot see."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from jhext.devcluster.credentials import Credentials

from .conftest import Bench, StartBench, eventually

HOME = {"name": "home", "mountPath": "/home/jovyan"}
CLAIM = {
    "metadata": {"name": "claim"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
}
CLAIM_VOLUME = {"name": "home", "persistentVolumeClaim": {"claimName": "claim"}}


def state_of(pod: Any) -> Any:
    return (pod["status"].get("containerStatuses") or [{"state": {}}])[0]


def read(path: Path) -> str:
    return path.read_text()


async def test_addresses_are_the_pods_own(bench: Bench) -> None:
    """Two pods listen on the same port, each on its address."""
    script = 'echo $JUPYTERHUB_SERVICE_URL "$@"; exec sleep 600'
    env = [{"name": "JUPYTERHUB_SERVICE_URL", "value": "http://0.0.0.0:8888/user/x/"}]
    args = ["--", "--ip=0.0.0.0", "--ServerApp.ip=*", "--ip=", "--ip=127.0.0.1", "0.0.0.0"]
    await bench.run(script, container={"env": env, "args": args})
    pod = await bench.until(lambda pod: pod["status"]["phase"] == "Running")
    address = pod["status"]["podIP"]
    assert address.startswith("127.77.")
    assert (await bench.log_has("8888")).split() == [
        f"http://{address}:8888/user/x/",
        f"--ip={address}",
        f"--ServerApp.ip={address}",
        f"--ip={address}",
        "--ip=127.0.0.1",
        "0.0.0.0",
    ]


async def test_environment_is_the_images(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cluster itself was started with is no business of the pods."""
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")
    await bench.run("env | cut -d= -f1 | sort; command -v jupyterhub-singleuser; pwd; echo $HOME")
    await bench.ended()
    lines = (await bench.log()).splitlines()
    assert "SECRET_OF_THE_HOST" not in lines
    assert {"HOME", "HOSTNAME", "LANG", "PATH", "SHELL", "TMPDIR", "VIRTUAL_ENV"} <= {*lines}
    program, directory, home = lines[-3:]
    assert program == str(Path(sys.executable).parent / "jupyterhub-singleuser")
    assert directory == home
    assert home.startswith(str(bench.state))


async def test_arguments_are_the_command(bench: Bench) -> None:
    """KubeSpawner's ``cmd`` comes as arguments, which an image's entry point would execute."""
    await bench.run("", container={"command": None, "args": ["echo", "hello"]})
    await bench.ended()
    assert await bench.log() == "hello\n"


async def test_home_is_the_claim(bench: Bench, start_bench: StartBench) -> None:
    await bench.create("persistentvolumeclaims", CLAIM)
    spec = {"volumes": [CLAIM_VOLUME], "container": {"volumeMounts": [HOME]}}
    await bench.run("pwd; echo kept > ~/file", **spec)
    await bench.ended()
    directory = bench.state / "claims" / "default" / "claim"
    assert (await bench.log()).strip() == str(directory)
    assert await asyncio.to_thread(read, directory / "file") == "kept\n"


async def test_claims_outlive_the_cluster(start_bench: StartBench) -> None:
    spec = {"volumes": [CLAIM_VOLUME], "container": {"volumeMounts": [HOME]}}
    for word in ("one", "two"):
        async with start_bench() as bench:
            await bench.create("persistentvolumeclaims", CLAIM)
            await bench.run(f"echo {word} >> ~/file; cat ~/file", **spec)
            await bench.ended()
            log = await bench.log()
    assert log == "one\ntwo\n"


async def test_deleted_claim_takes_its_files(bench: Bench) -> None:
    await bench.create("persistentvolumeclaims", CLAIM)
    await bench.run("touch ~/file", volumes=[CLAIM_VOLUME], container={"volumeMounts": [HOME]})
    await bench.ended()
    directory = bench.state / "claims" / "default" / "claim"
    assert directory.exists()
    await bench.delete("persistentvolumeclaims/claim")
    await eventually(lambda: not directory.exists())


async def test_private_files_go_with_the_pod(bench: Bench) -> None:
    volumes = [{"name": "v", "emptyDir": {}}]
    mounts = [{"name": "v", "mountPath": "/v"}]
    await bench.run("touch /v/file", volumes=volumes, container={"volumeMounts": mounts})
    pod = await bench.ended()
    directory = bench.state / "pods" / pod["metadata"]["uid"]
    assert (directory / "volumes" / "v" / "file").exists()
    await bench.delete("pods/p")
    await eventually(lambda: not directory.exists())


async def test_mounts_below_the_home_are_links(bench: Bench) -> None:
    mounts = [HOME, {"name": "shared", "mountPath": "/home/jovyan/shared"}]
    volumes = [{"name": "home", "emptyDir": {}}, {"name": "shared", "emptyDir": {}}]
    script = "touch /home/jovyan/shared/file; cd; ls shared"
    await bench.run(script, volumes=volumes, container={"volumeMounts": mounts})
    await bench.ended()
    assert await bench.log() == "file\n"


async def test_claims_keep_no_links_of_a_pod(bench: Bench) -> None:
    await bench.create("persistentvolumeclaims", CLAIM)
    mounts = [HOME, {"name": "shared", "mountPath": "/home/jovyan/shared"}]
    volumes = [CLAIM_VOLUME, {"name": "shared", "emptyDir": {}}]
    await bench.run("true", volumes=volumes, container={"volumeMounts": mounts})
    await bench.ended()
    link = bench.state / "claims" / "default" / "claim" / "shared"
    assert link.is_symlink()
    await bench.delete("pods/p")
    await eventually(lambda: not link.is_symlink())


async def test_sub_path_by_expression(bench: Bench) -> None:
    field = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    mounts = [{"name": "v", "mountPath": "/v", "subPathExpr": "of/$(NAME)"}]
    container = {"env": [field], "volumeMounts": mounts}
    await bench.run("cd /v; pwd", volumes=[{"name": "v", "emptyDir": {}}], container=container)
    await bench.ended()
    assert (await bench.log()).endswith("/volumes/v/of/p\n")


async def test_nfs_is_a_directory_that_has_to_be_there(bench: Bench) -> None:
    volume = {"name": "v", "nfs": {"server": "nfs.example.org", "path": "/exports/data"}}
    container = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    await bench.run("cd /v; pwd", volumes=[volume], container=container)
    await bench.warned("FailedMount")
    exported = bench.state / "nfs" / "nfs.example.org" / "exports" / "data"
    exported.mkdir(parents=True)
    await bench.ended()
    assert (await bench.log()).strip() == str(exported)


async def test_sub_path_that_leads_out_is_refused(bench: Bench, open_path: Path) -> None:
    """Whoever owns a volume must not make the cluster write elsewhere."""
    (open_path / "volume").mkdir()
    (open_path / "elsewhere").mkdir()
    (open_path / "volume" / "link").symlink_to(open_path / "elsewhere")
    volumes = [{"name": "v", "hostPath": {"path": str(open_path / "volume")}}]
    mounts = [{"name": "v", "mountPath": "/v", "subPath": "link/new"}]
    await bench.run("true", volumes=volumes, container={"volumeMounts": mounts})
    await bench.until(
        lambda pod: (
            state_of(pod)["state"].get("waiting", {}).get("reason") == "CreateContainerConfigError"
        )
    )
    assert not (open_path / "elsewhere" / "new").exists()


async def test_restart_counts_and_logs(bench: Bench) -> None:
    await bench.run("echo try; exit 1", restartPolicy="OnFailure")
    pod = await bench.until(lambda pod: state_of(pod).get("restartCount", 0) >= 2)
    logs = bench.state / "logs" / f"default_p_{pod['metadata']['uid']}" / "c"
    assert {"0.log", "1.log"} <= {path.name for path in logs.iterdir()}
    assert any("BackOff" in warning for warning in bench.warnings)


async def test_http_readiness(bench: Bench, open_path: Path) -> None:
    shutil.copy(__file__, open_path / "file")
    probe = {"httpGet": {"path": "/file", "port": "web"}, "periodSeconds": 1}
    container = {
        "command": ["python", "-m", "http.server", "8888", "--bind", "$(IP)", "--directory"],
        "args": [str(open_path)],
        "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "ports": [{"name": "web", "containerPort": 8888}],
        "readinessProbe": probe,
    }
    await bench.run("", container=container)
    pod = await bench.until(lambda pod: pod["status"]["phase"] == "Running")
    assert not state_of(pod)["ready"]
    await bench.until(lambda pod: state_of(pod)["ready"])


async def test_tcp_readiness(bench: Bench) -> None:
    probe = {"tcpSocket": {"port": 8888}, "periodSeconds": 1, "failureThreshold": 1}
    container = {"readinessProbe": probe}
    await bench.run("exec sleep 600", container=container)
    await bench.warned("Unhealthy")
    pod = await bench.get("pods/p")
    assert not state_of(pod)["ready"]


async def test_deletion_without_grace_kills(bench: Bench) -> None:
    await bench.run("trap '' TERM; echo $$$$; while :; do sleep 0.1; done")
    process = psutil.Process(int(await bench.log_has("\n")))
    await bench.delete("pods/p")  # with the usual grace of 30 seconds
    await bench.until(lambda pod: "deletionTimestamp" in pod["metadata"])
    assert process.is_running()
    await bench.delete("pods/p", gracePeriodSeconds="0")
    gone, _ = await asyncio.to_thread(psutil.wait_procs, [process], 20)
    assert gone


async def test_pods_end_with_the_cluster(start_bench: StartBench) -> None:
    async with start_bench() as bench:
        await bench.run("echo $$$$; exec sleep 600")
        process = psutil.Process(int(await bench.log_has("\n")))
    assert not process.is_running()
    assert not (bench.state / "kubeconfig").exists()


async def test_room_that_becomes_free(start_bench: StartBench) -> None:
    """A pod that does not fit waits for another to end."""
    gpu = {"resources": {"limits": {"nvidia.com/gpu": "2"}}}
    async with start_bench(capacity={"nvidia.com/gpu": "2"}) as bench:
        await bench.run("exec sleep 600", container=gpu)
        await bench.until(lambda pod: pod["status"]["phase"] == "Running")
        container = {"name": "c", "image": "i", "command": ["sleep", "600"], **gpu}
        spec = {"containers": [container]}
        await bench.create("pods", {"metadata": {"name": "q"}, "spec": spec})
        await bench.warned("FailedScheduling")
        assert "nodeName" not in (await bench.get("pods/q"))["spec"]
        await bench.delete("pods/p", gracePeriodSeconds="1")
        while "nodeName" not in (await bench.get("pods/q"))["spec"]:
            pass


async def test_an_object_that_nobody_can_deal_with(bench: Bench) -> None:
    """One bad manifest, which Kubernetes would refuse, does not stop the others."""
    bad = {"containers": [{"name": "c", "image": "i", "env": [{"value": "no name"}]}]}
    await bench.create("pods", {"metadata": {"name": "bad"}, "spec": bad})
    await bench.run("true")
    await bench.ended()
    await bench.warned("bad")


async def test_ids_and_groups(other_user: Credentials, bench: Bench) -> None:
    await bench.create("persistentvolumeclaims", CLAIM)
    context = {"runAsUser": 2001, "runAsGroup": 2002, "supplementalGroups": [2003], "fsGroup": 2004}
    script = "id -u; id -g; id -G; touch ~/file; stat -c %u:%g ~ ~/file; id -u > $TMPDIR/x"
    await bench.run(
        script,
        volumes=[CLAIM_VOLUME],
        container={"volumeMounts": [HOME]},
        securityContext=context,
    )
    pod = await bench.ended()
    assert pod["status"]["phase"] == "Succeeded"
    assert (await bench.log()).splitlines() == [
        "2001",
        "2002",
        "2002 2003 2004",
        "2001:2004",
        "2001:2004",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become others")
async def test_ids_that_are_out_of_reach(closed_path: Path, start_bench: StartBench) -> None:
    """Where another user could not reach the files, the pod runs, and everybody is told."""
    async with start_bench(state=closed_path / "state") as bench:
        await bench.run("id -u", securityContext={"runAsUser": 2001})
        await bench.ended()
        assert await bench.log() == "0\n"
        assert any("FailedRunAsUser" in warning for warning in bench.warnings)
        events = await bench.get("events", fieldSelector="reason=FailedRunAsUser")
        assert events["items"]
