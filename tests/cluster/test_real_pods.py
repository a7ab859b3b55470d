"""A person starts a server in a pod and works in it; what is not theirs is never asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.forms import SpawnForm
from jhext.demo.notebook import run_cell
from tests.cluster.bench import ClusterBench, progress, stop
from tests.cluster.conftest import RunHub

# Their pods get more than they may, by what a profile adds or by a hook.
WIDENED = ("container", "pod", "hook")
PEOPLE = [
    Account(name="alice", uid=2001, groups=("datascience",)),
    Account(name="eve", uid=2002),
    *(Account(name=name, uid=uid) for uid, name in enumerate(WIDENED, 2003)),
]
PROFILES: list[dict[str, Any]] = [
    {
        "slug": "small",
        "display_name": "Small",
        "allowed_groups": ["datascience"],
        "kubespawner_override": {"mem_guarantee": "64M", "environment": {"SIZE": "small"}},
    },
    {"slug": "large", "display_name": "Large", "allowed_groups": ["gpu"]},
    {
        "slug": "container",
        "display_name": "Container",
        "allowed_users": ["container"],
        "kubespawner_override": {
            "extra_container_config": {"securityContext": {"privileged": True}}
        },
    },
    {
        "slug": "pod",
        "display_name": "Pod",
        "allowed_users": ["pod"],
        "kubespawner_override": {"extra_pod_config": {"hostPID": True}},
    },
    {"slug": "hook", "display_name": "Hook", "allowed_users": ["hook"]},
]
CONFIG = """
def add_root(spawner, pod):
    if spawner.user.name == "hook":
        root = {"name": "root", "image": "busybox", "securityContext": {"privileged": True}}
        pod.spec.containers.append(root)
    return pod

# A list that is only known when it is asked for, and that says more than it may.
c.KubeSpawner.profile_list = lambda spawner: [
    {
        "slug": "root",
        "display_name": "Root",
        "allow_all": True,
        "kubespawner_override": {"uid": 0, "privileged": True},
    }
]
c.KubeSpawner.modify_pod_hook = add_root
c.KubeSpawner.delete_grace_period = 1
c.KubeSpawner.volumes = [{"name": "home", "emptyDir": {}}]
c.KubeSpawner.volume_mounts = [{"name": "home", "mountPath": "/home/jovyan"}]
"""


@pytest.fixture(scope="module")
def bench(run_hub: RunHub, tmp_path_factory: pytest.TempPathFactory) -> ClusterBench:
    passwd = tmp_path_factory.mktemp("identity") / "passwd"
    passwd.write_text("".join(f"{p.name}:x:{p.uid}:{p.uid}::/home:/bin/bash\n" for p in PEOPLE))
    settings = {
        "profiles": PROFILES,
        "identity": {"sources": [{"type": "files", "passwd": str(passwd)}]},
        "hub": {"allowed_sensitive_overrides": ["extra_container_config", "extra_pod_config"]},
    }
    return run_hub(PEOPLE, settings, CONFIG)


async def test_login_form_progress_kernel_stop(bench: ClusterBench) -> None:
    async with bench.browser("alice") as browser:
        form = SpawnForm.parse((await browser.get("/hub/spawn")).text)
        assert form.profiles == ("small",)
        page = await browser.post("/hub/spawn", {"profile": "small"})
        assert page.url.path == "/hub/spawn-pending/alice"

        events = [
            json.loads(line.removeprefix("data: "))
            for line in (await progress(browser, "alice")).splitlines()
            if line.startswith("data: ")
        ]
        assert events[-1]["ready"], events
        messages = [event["message"] for event in events]
        # What the kubelet says may come after the server is ready.
        assert any("Successfully assigned" in message for message in messages)

        (pod,) = await bench.pods("alice")
        assert pod["status"]["phase"] == "Running"
        assert pod["metadata"]["labels"]["jhext.io/profile"] == "small"
        assert (await browser.get("/user/alice/lab")).url.path == "/user/alice/lab"
        code = "import os, getpass; print(os.environ['SIZE'], os.getuid(), getpass.getuser())"
        assert (await run_cell(browser, "/user/alice/", code)).split() == ["small", "2001", "alice"]

        assert await stop(browser, "alice") in (202, 204)
        assert await bench.pods("alice") == []


@pytest.mark.parametrize(
    ("name", "asked"),
    [("alice", "large"), ("alice", "root"), ("alice", "none"), ("eve", "small"), ("eve", "")],
)
@pytest.mark.parametrize("door", ["form", "rest"])
async def test_d03_refused_profile_never_reaches_the_api_server(
    bench: ClusterBench, door: str, name: str, asked: str
) -> None:
    before = bench.asked_for()
    options = {"profile": asked} if asked else {}
    if door == "form":
        async with bench.browser(name) as browser:
            answer = await browser.post("/hub/spawn", options)
    else:
        async with bench.program(name) as program:
            answer = await program.api("POST", f"/users/{name}/server", options)
    assert answer.status == 403
    assert "not available to you" in answer.text or "no server you may start" in answer.text
    assert bench.asked_for() == before


@pytest.mark.parametrize("name", WIDENED)
async def test_d21_widened_pod_never_reaches_the_api_server(bench: ClusterBench, name: str) -> None:
    async with bench.browser(name) as browser:
        answer = await browser.post("/hub/spawn", {"profile": name})
        assert "would not run as you" in answer.text
    assert f"jupyter-{name}" not in bench.asked_for()
