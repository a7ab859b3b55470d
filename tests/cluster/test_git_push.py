"""Somebody logs in with GitHub or OpenID, has the ids of that, and pushes with git from the pod.

The git server takes the provider's own tokens over HTTPS, as GitHub does.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jhext.cluster.features import Features
from jhext.cluster.rbac import manifests
from jhext.delegation.mount import FOLDER
from jhext.demo.client import HubClient
from jhext.demo.notebook import run_cell
from tests.cluster.bench import ClusterBench, stop, until_ready
from tests.cluster.conftest import RunHub
from tests.cluster.interpreter import COMMAND, run_in_interpreter
from tests.cluster.kubernetes.kubeconfig import Node
from tests.git_http import GitServer, running_git
from tests.github.standin import GitHub, authenticator, entered, running_github
from tests.openid.provider import OpenIdProvider, log_in, running_provider

PERSON = {
    "id": 583231,
    "name": "The Octocat",
    "organizations": ["Lab"],
    "teams": [["Lab", "astronomers"]],
}
STATE = {
    "people": {"Octocat": PERSON},
    "organizations": {"Lab": 9000},
    "teams": {"Lab/astronomers": 7001},
    "valid_since": 0,
}
ALICE = {"name": "Alice Örn", "email": "alice@example.org", "uid_number": 20000, "groups": ["lab"]}
CLAIMS = {
    "uid": "/oauth_user/uid_number",
    "gecos": "/oauth_user/name",
    "email": "/oauth_user/email",
    "subject": "/oauth_user/sub",
}
# The home is empty and the person's; the certificate of the git server is known.
POD = """
c.KubeSpawner.volumes = [
    {"name": "home", "emptyDir": {}}, {"name": "ca", "configMap": {"name": "ca"}}
]
c.KubeSpawner.volume_mounts = [
    {"name": "home", "mountPath": "/home/jovyan"}, {"name": "ca", "mountPath": "/ca"}
]
c.KubeSpawner.environment = {"GIT_SSL_CAINFO": "/ca/ca.crt", "GIT_TERMINAL_PROMPT": "0"}
c.KubeSpawner.poll_interval = 1
"""
PUSH = """\
import grp, json, os, pathlib, subprocess

def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else f"failed: {done.stderr}"

def attempt(file):
    try:
        return file.write_text("x")
    except OSError as error:
        return type(error).__name__

os.chdir(pathlib.Path.home())
token = pathlib.Path("FOLDER/token")
cloned = run("git", "clone", "REMOTE", "work")
assert os.path.isdir("work"), cloned
os.chdir("work")
run("git", "checkout", "-B", "main")
run("git", "commit", "--allow-empty", "-m", "from the pod")
print(json.dumps({
    "push": run("git", "push", "origin", "main"),
    "ids": [os.getuid(), os.getgid(), sorted(os.getgroups())],
    "groups": sorted(grp.getgrgid(gid).gr_name for gid in os.getgroups()),
    "whoami": run("whoami"),
    "git config": [run("git", "config", f"user.{key}") for key in ("name", "email")],
    "token": token.read_text(),
    "in the environment": token.read_text() in str(os.environ),
    "in the home": run("grep", "-rle", token.read_text(), str(pathlib.Path.home())),
    "written": attempt(token),
}))
""".replace("FOLDER", FOLDER)


def settings_of(git: GitServer, source: dict[str, Any]) -> dict[str, Any]:
    """Return what a `jhext.yaml` says."""
    return {
        "profiles": [{"slug": "lab", "display_name": "Lab", "allowed_groups": ["lab"]}],
        "identity": {"sources": [source], "user_private_groups": True},
        "pod": {"token": {"git_urls": [git.url], "refresh": "1s"}},
    }


def hub_of(run_hub: RunHub, settings: dict[str, Any], config: str, git: GitServer) -> ClusterBench:
    """Run a hub that has the rights for this."""
    bench = run_hub([], settings, config + POD)
    role, _ = manifests(Features(tokens=True), bench.namespace.name, name="hub-tokens")
    bench.namespace.grant(role, bench.namespace.name)
    data = {"ca.crt": git.ca_file.read_text()}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ca"}}
    bench.namespace.create({**config_map, "data": data})
    return bench


async def start_server(program: HubClient, name: str) -> None:
    """Start the server of a person."""
    answer = await program.api("POST", f"/users/{name}/server", {})
    assert answer.status in (201, 202), answer.text
    await until_ready(program, name)


async def run_in_server(program: HubClient, name: str, code: str) -> Any:
    """Run a cell in the server of a person; return what it printed as JSON."""
    return json.loads(await run_cell(program, f"/user/{name}/", code))


def assert_kept_in_its_place(seen: dict[str, Any], bench: ClusterBench) -> None:
    assert not seen["in the environment"]
    assert seen["in the home"] == "failed: "  # grep has found nothing
    assert seen["written"] == "OSError"  # a read-only file system
    assert seen["token"] not in bench.log


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with running_github(tmp_path_factory.mktemp("github"), STATE) as github:
        yield github


@pytest.fixture(scope="module")
def provider(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenIdProvider]:
    with running_provider(pytestconfig, tmp_path_factory.mktemp("openid")) as provider:
        yield provider


async def test_seed_4(run_hub: RunHub, node: Node, github: GitHub, tmp_path: Path) -> None:
    """The uid is GitHub's id, the gids are those of teams and organizations; git is configured.

    All of it by configuration alone, and also with tokens that expire.
    """
    with running_git(tmp_path, node.hub_ip, f"{github.api}/user") as git:
        url = git.create("work")
        source = {"groups": ["teams", "organizations"], "team_gid_offset": 1_000_000_000}
        settings = settings_of(git, {"type": "github", **source})
        scopes = 'c.GitHubOAuthenticator.scope = ["read:org", "user:email", "public_repo"]'
        bench = hub_of(run_hub, settings, authenticator(github) + scopes, git)
        async with await entered(bench, github, "Octocat") as program:
            await start_server(program, "octocat")
            seen = await run_in_server(program, "octocat", PUSH.replace("REMOTE", url))
            assert "failed" not in seen["push"]
            assert seen["ids"] == [583231, 583231, [9000, 583231, 1000007001]]
            assert seen["groups"] == ["lab", "lab.astronomers", "octocat"]
            assert seen["whoami"] == "octocat"
            address = "Octocat@private.example"
            assert seen["git config"] == ["The Octocat", address]
            assert git.authors("work") == [f"The Octocat <{address}>"]
            assert_kept_in_its_place(seen, bench)

            github.change(valid_since=time.time())
            later = await renewed(bench, program, seen["token"], url)
            assert len(git.authors("work")) == 2
            assert_kept_in_its_place(later, bench)
            await stop(program, "octocat")
        secrets = [item["type"] for item in bench.namespace.find("Secret")]
        assert "Opaque" not in secrets


async def renewed(bench: ClusterBench, program: HubClient, before: str, url: str) -> dict[str, Any]:
    """Push again, as soon as the file of the running server has another token."""
    look = f"import json; print(json.dumps(open('{FOLDER}/token').read()))"
    (pod,) = await bench.pods("octocat")
    name = pod["metadata"]["name"]
    async with asyncio.timeout(120):
        for attempt in range(1000):
            if await run_in_server(program, "octocat", look) != before:
                break
            # The kubelet looks at the Secrets of a pod every minute or so, and at changed pods.
            await asyncio.to_thread(bench.namespace.annotate, "Pod", name, looked=str(attempt))
            await asyncio.sleep(1)
    seen: dict[str, Any] = await run_in_server(program, "octocat", PUSH.replace("REMOTE", url))
    assert "failed" not in seen["push"]
    return seen


async def test_person_of_an_openid_provider(
    run_hub: RunHub, node: Node, provider: OpenIdProvider, tmp_path: Path
) -> None:
    provider.change({"alice": ALICE})
    config = f"""
c.JupyterHub.authenticator_class = "jhext-generic-oauth"
c.CryptKeeper.keys = ["{"00" * 32}"]
c.GenericOAuthenticator.enable_auth_state = True
c.GenericOAuthenticator.client_id = "hub"
c.GenericOAuthenticator.client_secret = "local-only"
c.GenericOAuthenticator.authorize_url = "{provider.url}/auth"
c.GenericOAuthenticator.token_url = "{provider.url}/token"
c.GenericOAuthenticator.userdata_url = "{provider.url}/me"
c.GenericOAuthenticator.scope = ["openid", "profile", "email", "groups", "posix"]
c.GenericOAuthenticator.username_claim = "preferred_username"
c.GenericOAuthenticator.manage_groups = True
c.GenericOAuthenticator.auth_state_groups_key = "oauth_user.groups"
c.GenericOAuthenticator.allow_all = True
"""
    with running_git(tmp_path, node.hub_ip, f"{provider.url}/me") as git:
        url = git.create("work")
        settings = settings_of(git, {"type": "auth_state", "fields": CLAIMS})
        settings["profiles"][0]["kubespawner_override"] = {"cmd": COMMAND}
        bench = hub_of(run_hub, settings, config, git)
        page, token = await log_in(bench.hub.url, "alice", provider.url)
        assert token, (page.status_code, page.text)
        async with HubClient(bench.hub.url, token) as program:
            await start_server(program, "alice")
            code = PUSH.replace("REMOTE", url)
            seen = json.loads(await run_in_interpreter(program, "alice", code))
            await stop(program, "alice")
        assert "failed" not in seen["push"]
        assert seen["ids"] == [20000, 20000, [20000]]
        assert git.authors("work") == ["Alice Örn <alice@example.org>"]
        assert_kept_in_its_place(seen, bench)
