"""``jhext explain``: what somebody may start and why, and the pod, without a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from jhext.offline.mask import MASK

GPU = ["--groups", "lab:gpu", "--profile", "gpu", "--at", "2026-11-20T12:00:00Z"]


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("anybody", ["eve"], 0),
        ("member", ["ada", "--groups", "lab:gpu, staff"], 0),
        ("blocked", ["bob", "--groups", "lab:gpu,interns"], 0),
        ("claim", ["cy", "--claim", "affiliation=staff"], 0),
        ("admin", ["root", "--groups", "lab:gpu", "--admin"], 0),
        ("server", ["eve", "--server", "exam"], 0),
        ("before", ["eve", "--at", "2026-09-30T23:59:59"], 0),
        ("after", ["eve", "--at", "2027-02-01T00:59:59+01:00"], 0),
        ("refused", ["eve", "--profile", "gpu"], 1),
        ("choice", ["bob", *GPU, "--option", "memory=more"], 1),
    ],
)
def test_golden(golden: Any, name: str, arguments: list[str], code: int) -> None:
    at = [] if "--at" in arguments else ["--at", "2026-11-20T12:00:00Z"]
    golden("explain", name, "explain", *arguments, *at, code=code)


@pytest.fixture
def lab(shell: Any) -> Any:
    """A folder with the settings of the golden tests."""
    kept = Path(__file__).parents[2] / "golden" / "cli" / "explain" / "jhext.yaml"
    shell.write(jhext__yaml=kept.read_text())
    return shell


def pod_of(ran: Any) -> Any:
    assert ran.code == 0, ran.stdout + ran.stderr
    return yaml.safe_load(ran.stdout)


def variables(pod: Any) -> dict[str, Any]:
    return {item["name"]: item.get("value") for item in pod["spec"]["containers"][0]["env"]}


def test_options_alone_are_those_of_the_default(lab: Any) -> None:
    ran = lab("explain", "ada", "--option", "no=such")
    assert ran.code == 1
    assert "this profile does not have: 'no'" in ran.stdout


def test_a_pod_with_the_token_of_the_login(lab: Any) -> None:
    """No login is there: the pod is the one that somebody with a token would have."""
    written = """
profiles: [{slug: any, display_name: Any, allow_all: true}]
identity: {sources: [{type: files, passwd: passwd}]}
pod: {token: {key: /github/token, git_urls: ["https://github.com"]}}
"""
    lab.write(token__yaml=written)
    ran = lab("explain", "ada", "--profile", "any", "--config", "token.yaml")
    assert "# note: pod.token: " in ran.stdout
    spec = pod_of(ran)["spec"]
    secret = {"secretName": "jhext-token-ada", "defaultMode": 0o444}
    assert {"name": "jhext-token", "secret": secret} in spec["volumes"]
    mounts = {it["name"]: it for it in spec["containers"][0]["volumeMounts"]}
    assert mounts["jhext-token"]["readOnly"] is True
    assert "the-api-token" not in ran.stdout


def test_all_of_the_output_with_a_pod_is_yaml(lab: Any) -> None:
    ran = lab("explain", "ada", *GPU, "--option", "memory=more")
    pod = pod_of(ran)
    container = pod["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"memory": 64 * 2**30, "nvidia.com/gpu": "1"}
    assert container["image"] == "quay.io/example/ours:1"
    assert pod["metadata"]["labels"]["jhext.io/profile"] == "gpu"
    assert ran.stdout.startswith("# ada (in lab:gpu)\n# may start gpu: allowed_groups: lab:gpu\n")


def test_the_spawner_decides_at_the_time_that_was_asked_for(shell: Any) -> None:
    rule = "now < timestamp('2000-01-01T00:00:00Z')"
    shell.write(jhext__yaml=f'profiles: [{{slug: past, display_name: P, allow_if: "{rule}"}}]')
    start = ["explain", "ada", "--profile", "past"]
    assert shell(*start).code == 1
    assert pod_of(shell(*start, "--at", "1999-12-31"))["metadata"]["name"] == "jupyter-ada"


def test_named_server(lab: Any) -> None:
    pod = pod_of(lab("explain", "ada", "--server", "exam", "--profile", "exam"))
    assert pod["metadata"]["labels"]["hub.jupyter.org/servername"] == "exam"
    assert variables(pod)["JUPYTERHUB_SERVICE_PREFIX"] == "/user/ada/exam/"


def test_free_text_is_judged_like_any_choice(lab: Any) -> None:
    free_text = ["--option", "image--unlisted-choice=quay.io/example/new:2"]
    assert lab("explain", "ada", *GPU, *free_text).code == 1
    pod = pod_of(lab("explain", "ada", "--admin", *GPU, *free_text))
    assert pod["spec"]["containers"][0]["image"] == "quay.io/example/new:2"


def test_d24_secrets_are_masked(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOKIE_SECRET", "ab" * 32)
    settings = yaml.safe_load(Path("jhext.yaml").read_text())
    settings["hub"] = {"cookie_secret": {"env": "COOKIE_SECRET"}}
    override = settings["profiles"][1]["kubespawner_override"]
    override["extra_labels"] = {"leak": "ab" * 32}
    lab.write(jhext__yaml=yaml.safe_dump(settings))
    ran = lab("explain", "ada", *GPU)
    found = variables(pod_of(ran))
    assert found["DATASET_TOKEN"] == found["JUPYTERHUB_API_TOKEN"] == MASK
    assert found["LAB"] == "physics"
    assert pod_of(ran)["metadata"]["labels"]["leak"] == MASK
    assert "not-for-reading" not in ran.stdout
    assert "ab" * 32 not in ran.stdout + lab("explain", "ada", *GPU, "--output", "json").stdout


def test_machines_get_decisions_and_pod(lab: Any) -> None:
    found = lab("explain", "ada", *GPU, "--output", "json").json
    assert found["start"]["decision"]["allowed"] is True
    assert found["start"]["choices"] == {"memory": "usual", "image": "ours"}
    assert found["pod"]["kind"] == "Pod"
    assert {item["slug"]: item["decision"]["allowed"] for item in found["profiles"]} == {
        "small": True,
        "gpu": True,
        "course": True,
        "exam": False,
    }


CONFIG = """
import jhext
jhext.configure(c, "jhext.yaml")
c.JupyterHub.load_groups = {"lab:gpu": {"users": ["bob"]}, "interns": ["cy"]}
c.Authenticator.admin_users = {"bob"}
c.JupyterHub.base_url = "/hubs/one/"
c.JupyterHub.hub_connect_url = "http://hub:8081"
c.KubeSpawner.namespace = "notebooks"
c.KubeSpawner.volumes = {"home": {"name": "home", "emptyDir": {}}}
c.KubeSpawner.pre_spawn_hook = lambda spawner: 1 / 0
def modify(spawner, pod):
    pod.metadata.annotations["by"] = spawner.user.name
    return pod
c.KubeSpawner.modify_pod_hook = modify
"""


def test_python_configuration_makes_the_pod_that_the_hub_would_send(lab: Any) -> None:
    lab.write(jupyterhub_config__py=CONFIG)
    ran = lab("explain", "bob", "--profile", "gpu", "--config", "jupyterhub_config.py")
    pod = pod_of(ran)
    assert ran.stdout.startswith("# bob (in lab:gpu; an admin)\n")
    assert "# note: pre_spawn_hook is set" in ran.stdout
    assert pod["metadata"]["annotations"]["by"] == "bob"
    assert pod["spec"]["volumes"] == [{"emptyDir": {}, "name": "home"}]
    found = variables(pod)
    assert found["JUPYTERHUB_BASE_URL"] == "/hubs/one/"
    assert found["JUPYTERHUB_API_URL"] == "http://hub:8081/hubs/one/hub/api"
    assert found["JUPYTERHUB_SERVICE_PREFIX"] == "/hubs/one/user/bob/"


def test_given_groups_take_the_place_of_those_in_load_groups(lab: Any) -> None:
    lab.write(jupyterhub_config__py=CONFIG)
    config = ["--config", "jupyterhub_config.py"]
    assert lab("explain", "bob", *config, "--profile", "gpu", "--groups", "").code == 1
    assert "(in interns)" in lab("explain", "cy", *config).stdout


IDENTITY = """
profiles: [{slug: small, display_name: Small, allow_all: true}]
identity:
  sources: [{type: rest, url: "https://127.0.0.1:1/{username}", fields: {uid: /uid, gid: /gid}}]
  required: [home]
"""


def test_no_directory_is_asked(shell: Any) -> None:
    shell.write(jhext__yaml=IDENTITY)
    start = ["explain", "ada", "--profile", "small"]
    ran = shell(*start)
    assert pod_of(ran)["spec"]["securityContext"]["runAsUser"] == 1000
    assert "note: no directory was asked: uid 1000 and gid 100 are made up" in ran.stdout
    ran = shell(*start, "--uid", "4711", "--gid", "815")
    context = pod_of(ran)["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (4711, 815)
    assert "# note" not in ran.stdout
    ran = shell(*start, "--uid", "0")
    assert ran.code == 2
    assert ran.stderr.startswith("error: identity: 0 is root, and allow_root is not set; give ids")


CALLABLE = """
import jhext
from tornado import web
jhext.configure(c, {"hub": {"default_access": "allow"}})
def profiles(spawner):
    if spawner.user.name == "eve":
        raise web.HTTPError(403, "Your account has expired.")
    return [{"slug": "own", "display_name": spawner.user.name}]
c.KubeSpawner.profile_list = profiles
"""


def test_without_profiles_everybody_starts_the_base_configuration_or_nobody(shell: Any) -> None:
    shell.write(jhext__yaml="hub: {default_access: allow}")
    ran = shell("explain", "ada")
    assert pod_of(ran)["metadata"]["name"] == "jupyter-ada"
    assert "may start the base configuration" in ran.stdout
    assert shell("explain", "ada", "--profile", "gpu").code == 1
    shell.write(jhext__yaml="hub: {}")
    assert shell("explain", "ada").code == 2
    assert shell("check", "jhext.yaml").code == 1


def test_profiles_in_files_of_their_own(shell: Any) -> None:
    shell.write(
        jhext__yaml="hub: {profile_files: [more.yaml], profile_mapping_files: [mapping]}",
        more__yaml="profiles: [{slug: small, display_name: Small, allowed_users: {file: names}}]",
        names="ada\n",
        mapping="bob:small\n!ada:small\n",
    )
    ran = shell("explain", "bob")
    assert ran.stdout.splitlines()[1] == "yes small: mapping: mapping:1"
    ran = shell("explain", "ada")
    assert ran.stdout.splitlines()[1].startswith("no  small: mapping: mapping:2")


def test_callable_is_asked_for_the_person(lab: Any) -> None:
    lab.write(jupyterhub_config__py=CALLABLE)
    config = ["--config", "jupyterhub_config.py", "--output", "json"]
    found = lab("explain", "ada", *config).json
    assert [item["display_name"] for item in found["profiles"]] == ["ada"]
    refused = lab("explain", "eve", *config)
    assert refused.code == 1
    assert refused.json["start"]["told"] == "Your account has expired."


@pytest.mark.parametrize(
    "arguments",
    [
        ["ada", "--claim", "affiliation"],
        ["ada", "--option", "size"],
        ["ada", "--at", "noon"],
        ["ada", "--config", "nowhere.yaml"],
        ["ada"],
        [],
    ],
)
def test_wrong_use(shell: Any, arguments: list[str]) -> None:
    assert shell("explain", *arguments).code == 2


def test_faulty_configuration_explains_nothing(lab: Any) -> None:
    lab.write(jhext__yaml="profiles: [{slug: a, display_name: A, allow_al: true}]")
    ran = lab("explain", "ada")
    assert (ran.code, ran.stdout) == (2, "")
    assert "jhext.yaml:1" in ran.stderr


GUARD = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        raise SystemExit(f"{event} {arguments}")

sys.addaudithook(refuse)
from jhext.cli import main
main()
"""


def run_guarded(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that cannot reach anything, in which there is no kubeconfig."""
    environment = {key: value for key, value in os.environ.items() if "KUBE" not in key}
    environment |= {"HOME": str(folder), "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, "-c", GUARD, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_connected_to_and_no_kubeconfig_is_needed(lab: Any) -> None:
    done = run_guarded(lab.folder, "explain", "ada", *GPU)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["kind"] == "Pod"


def test_the_guard_would_see_a_connection(lab: Any) -> None:
    lab.write(jupyterhub_config__py="import socket\nsocket.create_connection(('127.0.0.1', 1), 1)")
    done = run_guarded(lab.folder, "check", "jupyterhub_config.py")
    assert "socket." in done.stdout


def test_around_the_process_is_what_was_there_before(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBECONFIG", "/somewhere")
    pod_of(lab("explain", "ada", *GPU))
    assert os.environ["KUBERNETES_SERVICE_HOST"] == "10.0.0.1"
    assert os.environ["KUBECONFIG"] == "/somewhere"


def test_claims_have_the_names_of_their_templates(shell: Any) -> None:
    """There is no cluster to look in."""
    settings = {
        "profiles": [{"display_name": "Small", "allow_all": True}],
        "storage": {"claims": {"home": {"size": "1Gi"}}, "home": {"source": {"type": "claim"}}},
    }
    shell.write(jhext__yaml=yaml.safe_dump(settings))
    ran = shell("explain", "ada", "--profile", "small")
    pod = yaml.safe_load(ran.stdout)
    claims = [volume.get("persistentVolumeClaim") for volume in pod["spec"]["volumes"]]
    assert {"claimName": "home-ada"} in claims
