"""A person in a real pod: names, groups, git, no way to be somebody else; containers as root."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.cluster.bench import ClusterBench, until_ready
from tests.cluster.conftest import RunHub
from tests.cluster.interpreter import COMMAND, run_in_interpreter
from tests.cluster.several import run_several

BLOCKER = "block-cloud-metadata"
NAME, MAIL = "Alice {Braces} $(id) Liddell", "alice@example.org"
PEOPLE = {
    "alice": {
        "uid": 3001,
        "gid": 3100,
        "groups": {"wonderland": 3100, "lab": 5001, "hatters": 5002},
        "home": "/nfs/2/alice",
        "gecos": NAME,
        "email": MAIL,
    }
}
UNLISTED = "unlisted-alice"
PEOPLE[UNLISTED] = PEOPLE["alice"] | {"uid": 3002}
PROFILES = [
    {
        "slug": "lab",
        "display_name": "Lab",
        "allow_all": True,
        "kubespawner_override": {"cmd": COMMAND},
    }
]
# The first of them is the chart's own, with a command that tells whether it is what it asks for.
CONFIG = f"""
home = [{{"name": "home", "mountPath": "/home/jovyan"}}]
etc = {{"name": "etc", "mountPath": "/etc"}}  # it does not hide what is mounted below it
c.KubeSpawner.volumes = [{{"name": name, "emptyDir": {{}}}} for name in ("home", "etc")]
c.KubeSpawner.volume_mounts = home

def container(name, command, **more):
    command = ["sh", "-c", command]
    return {{"name": name, "image": c.KubeSpawner.image, "command": command, **more}}

c.KubeSpawner.init_containers = [
    container(
        {BLOCKER!r},
        "test $(id -u) = 0 && ! grep -q '^CapEff:.0*$' /proc/self/status",
        securityContext={{
            "privileged": True, "runAsUser": 0, "capabilities": {{"add": ["NET_ADMIN"]}}
        }},
    ),
    container("init", "id > /home/jovyan/init", volumeMounts=home),
]
c.KubeSpawner.extra_containers = [
    container(
        "sidecar", "id > /home/jovyan/sidecar; exec sleep 3600", volumeMounts=[*home, etc]
    )
]
"""
WHO = """\
import getpass, grp, json, os, pathlib, pwd, subprocess

def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else f"failed: {done.stderr}"

home = pathlib.Path.home()
os.chdir(home)
for _ in range(100):
    if (home / "sidecar").exists() and (home / "sidecar").read_text(): break
    __import__("time").sleep(0.1)
run("git", "init", "work")
run("git", "-C", "work", "commit", "--allow-empty", "-m", "first")
print(json.dumps({
    "id": run("id"),
    "whoami": run("whoami"),
    "getuser": getpass.getuser(),
    "gecos": pwd.getpwuid(os.getuid()).pw_gecos,
    "groups": sorted(grp.getgrgid(gid).gr_name for gid in os.getgroups()),
    "homes": [str(home), os.environ["HOME"], pwd.getpwnam("alice").pw_dir],
    "author": run("git", "-C", "work", "log", "--format=%an <%ae> %cn <%ce>"),
    "git config": [run("git", "config", f"user.{key}") for key in ("name", "email")],
    "others": [(home / name).read_text().strip() for name in ("init", "sidecar")],
}))
"""
ESCAPES = """\
import json, os, pathlib, stat, subprocess

def attempt(how):
    try:
        return f"worked: {how()}"
    except (OSError, subprocess.SubprocessError) as error:
        return type(error).__name__

def run(*command):
    return lambda: subprocess.run(command, check=True, capture_output=True, timeout=20, input=b"")

def become(function, *ids):
    return lambda: subprocess.run(["true"], check=True, preexec_fn=lambda: function(*ids))

passwd = pathlib.Path("/etc/passwd")
attempts = {
    "write passwd": lambda: passwd.write_text("alice:x:0:0:::\\n"),
    "delete passwd": passwd.unlink,
    "replace passwd": lambda: os.rename("/home/jovyan/init", passwd),
    "chmod passwd": lambda: passwd.chmod(0o666),
    "write group": lambda: open("/etc/group", "a"),
    "sudo": run("sudo", "-n", "id"),
    "su": run("su", "-c", "id"),
    "unshare users": run("unshare", "--user", "--map-root-user", "id"),
    "unshare mounts": run("unshare", "--mount", "id"),
    "mount": run("mount", "-t", "tmpfs", "none", "/mnt"),
    "setpriv": run("setpriv", "--reuid=3002", "id"),
    "setuid": become(os.setuid, 0),
    "setgid": become(os.setgid, 0),
    "setgroups": become(os.setgroups, [0]),
    "give away": lambda: os.chown("/home/jovyan/sidecar", 3002, 3002),
    "enter init": run("nsenter", "--target", "1", "--mount", "id"),
}
fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
su = "/usr/bin/su"
asking = subprocess.Popen([su], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
of_su = dict(line.split(":", 1) for line in open(f"/proc/{asking.pid}/status"))
asking.kill()
asking.communicate()
print(json.dumps({
    "attempts": {name: attempt(how) for name, how in attempts.items()},
    "capabilities": [fields[f"Cap{kind}"].strip() for kind in ("Eff", "Prm", "Bnd", "Inh", "Amb")],
    "NoNewPrivs": fields["NoNewPrivs"].strip(),
    "Seccomp": fields["Seccomp"].strip(),
    "su": [bool(os.stat(su).st_mode & stat.S_ISUID), os.stat(su).st_uid, of_su["Uid"].split()],
}))
"""


@pytest.fixture(scope="module")
def bench(run_hub: RunHub, tmp_path_factory: pytest.TempPathFactory) -> ClusterBench:
    folder = tmp_path_factory.mktemp("who")
    (folder / "people.yaml").write_text(yaml.safe_dump(PEOPLE))
    sources = [{"type": "table", "path": str(folder / "people.yaml")}]
    settings = {"profiles": PROFILES, "identity": {"sources": sources}}
    several = {
        "alice": {**settings, "pod": {"privileged_containers": [BLOCKER]}},
        "unlisted": settings,
    }
    return run_several(run_hub, folder, PEOPLE, several, CONFIG)


async def run_as_alice(bench: ClusterBench, code: str) -> Any:
    """Run code in alice's server, which is left running; return what it printed as JSON."""
    async with bench.browser("alice") as browser:
        if await browser.server("alice") is None:
            await browser.post("/hub/spawn", {})
        await until_ready(browser, "alice")
        return json.loads(await run_in_interpreter(browser, "alice", code))


async def test_d20_d37_everything_in_the_pod_knows_the_person(bench: ClusterBench) -> None:
    """D-15: a name means nothing else on its way."""
    seen = await run_as_alice(bench, WHO)
    ids = "uid=3001(alice) gid=3100(wonderland) groups=3100(wonderland),5001(lab),5002(hatters)"
    assert seen["id"] == ids
    assert seen["others"] == [ids, ids]
    assert seen["whoami"] == seen["getuser"] == "alice"
    assert seen["groups"] == ["hatters", "lab", "wonderland"]
    assert seen["homes"] == ["/home/jovyan"] * 3
    assert seen["gecos"] == NAME
    assert seen["author"] == f"{NAME} <{MAIL}> {NAME} <{MAIL}>"
    assert seen["git config"] == [NAME, MAIL]


async def test_d19_no_way_to_be_somebody_else(bench: ClusterBench) -> None:
    seen = await run_as_alice(bench, ESCAPES)
    worked = {name: how for name, how in seen["attempts"].items() if how.startswith("worked")}
    assert not worked
    assert "FileNotFoundError" not in seen["attempts"].values()  # they were really tried
    assert seen["capabilities"] == ["0" * 16] * 5
    assert seen["NoNewPrivs"] == "1"
    assert seen["Seccomp"] == "2"  # a filter
    assert seen["su"] == [True, 0, ["3001"] * 4]  # it is root's, and has the bit, in vain


async def test_listed_container_is_root_and_no_other(bench: ClusterBench) -> None:
    await run_as_alice(bench, "print(0)")
    (pod,) = await bench.pods("alice")
    ended = {
        status["name"]: status["state"]["terminated"]["exitCode"]
        for status in pod["status"]["initContainerStatuses"]
    }
    assert ended == {BLOCKER: 0, "init": 0}
    (blocker, init), others = pod["spec"]["initContainers"], pod["spec"]["containers"]
    assert blocker["securityContext"]["privileged"]
    for container in (init, *others):
        assert container["securityContext"]["runAsUser"] == 3001
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


async def test_d20_unlisted_container_as_root_is_refused(bench: ClusterBench) -> None:
    """The log names both cures, and the API server is never asked."""
    async with bench.browser(UNLISTED) as browser:
        answer = await browser.post("/hub/spawn", {})
        assert "would not run as you" in answer.text
    assert "list the container in pod.privileged_containers" in bench.log
    assert "singleuser.cloudMetadata.blockWithIptables: false" in bench.log
    assert not [name for name in bench.asked_for() if UNLISTED in name]
