"""Who a person is inside a real pod, and pods that would be somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.notebook import run_cell
from tests.cluster.bench import ClusterBench
from tests.cluster.conftest import RunHub

# How each of these people's pod is widened.
WIDENED = {
    "hooked": "a hook",
    "configured": "extra_container_config",
    "shared": "extra_pod_config",
}
PEOPLE = [Account(name=name, uid=2001) for name in ("alice", *WIDENED)]
PROFILES: list[dict[str, Any]] = [
    {"slug": "small", "display_name": "Small", "allowed_users": ["alice", "hooked"]},
    {
        "slug": "container",
        "display_name": "Container",
        "allowed_users": ["configured"],
        "kubespawner_override": {
            "extra_container_config": {"securityContext": {"privileged": True}}
        },
    },
    {
        "slug": "pod",
        "display_name": "Pod",
        "allowed_users": ["shared"],
        "kubespawner_override": {"extra_pod_config": {"hostPID": True}},
    },
]
CONFIG = """
def widen(spawner, pod):
    if spawner.user.name == "hooked":
        root = {"name": "root", "image": "busybox", "securityContext": {"privileged": True}}
        pod.spec.containers.append(root)
    return pod

c.KubeSpawner.modify_pod_hook = widen
c.KubeSpawner.volumes = [{"name": "home", "emptyDir": {}}]
c.KubeSpawner.volume_mounts = [{"name": "home", "mountPath": "/home/jovyan"}]
"""


@pytest.fixture(scope="module")
def bench(run_hub: RunHub, tmp_path_factory: pytest.TempPathFactory) -> ClusterBench:
    passwd = tmp_path_factory.mktemp("identity") / "passwd"
    passwd.write_text("".join(passwd_line(n, 2001 + i) for i, n in enumerate(("alice", *WIDENED))))
    settings = {
        "profiles": PROFILES,
        "identity": {"sources": [{"type": "files", "passwd": str(passwd)}]},
        "hub": {"allowed_sensitive_overrides": ["extra_container_config", "extra_pod_config"]},
    }
    return run_hub(PEOPLE, settings, CONFIG)


def passwd_line(name: str, uid: int) -> str:
    return f"{name}:x:{uid}:{uid}:{name.title()} Example:{Path('/nfs') / name}:/bin/bash\n"


async def test_person_has_a_name_in_the_pod(bench: ClusterBench) -> None:
    async with bench.browser("alice") as browser:
        await browser.post("/hub/spawn", {"profile": "small"})
        await browser.wait_for_server("alice")
        assert (await browser.get("/user/alice/lab")).url.path == "/user/alice/lab"
        code = (
            "import getpass, os, pwd, subprocess\n"
            "print(getpass.getuser(), os.getuid(), os.getgid(), pwd.getpwuid(2001).pw_gecos)\n"
            "print(subprocess.run(['id'], capture_output=True, text=True).stdout)\n"
            "print(os.access('/etc/passwd', os.W_OK))\n"
        )
        who, ids, writable = filter(
            None, (await run_cell(browser, "/user/alice/", code)).split("\n")
        )
        assert who == "alice 2001 2001 Alice Example"
        assert ids.startswith("uid=2001(alice) gid=2001(alice)")
        assert writable == "False"


@pytest.mark.parametrize("name", WIDENED)
async def test_widened_pod_never_reaches_the_api_server(bench: ClusterBench, name: str) -> None:
    async with bench.browser(name) as browser:
        answer = await browser.post("/hub/spawn", {})
        assert "would not run as you" in answer.text
    assert f"jupyter-{name}" not in bench.asked_for()
