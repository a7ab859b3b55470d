"""The token in a pod: where it is, where it must not be, and what git makes of it."""

from __future__ import annotations

import copy
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jhext.delegation.mount import FOLDER, VOLUME, TokenMount, misplaced, mount, mount_of
from jhext.delegation.secret import GIT, data_of, name_of
from jhext.delegation.settings import TokenSettings
from jhext.pod.environment import set_variables
from jhext.pod.finish import PodRefused, expected_of, finish
from jhext.pod.manifest import Manifest, notebook
from jhext.pod.settings import PodSettings
from jhext.pod.verify import Configured
from tests.unit.delegation.test_secret import read
from tests.unit.pod.pods import ANN, kubespawner_pod

URL = "https://git.example.org:8443"
SETTINGS = TokenSettings(git_urls=(URL,))
MINE = name_of("ann", "")
TOKEN = mount_of(MINE, SETTINGS)
OTHERS = name_of("bob", "")


def with_token() -> Manifest:
    manifest = kubespawner_pod()
    mount(manifest, TOKEN)
    return manifest


def test_it_is_mounted_for_the_notebook_alone() -> None:
    manifest = with_token()
    volumes = [item for item in manifest["spec"]["volumes"] if item["name"] == VOLUME]
    assert volumes == [{"name": VOLUME, "secret": {"secretName": MINE, "defaultMode": 0o444}}]
    (found,) = (item for item in notebook(manifest)["volumeMounts"] if item["name"] == VOLUME)
    assert found == {"name": VOLUME, "mountPath": FOLDER, "readOnly": True}  # whole: it changes
    text = str([manifest["spec"]["initContainers"], manifest["spec"]["containers"][1:]])
    assert VOLUME not in text
    assert not list(misplaced(manifest, TOKEN))


def test_doing_it_again_changes_nothing() -> None:
    manifest = with_token()
    before = copy.deepcopy(manifest)
    mount(manifest, TOKEN)
    assert manifest == before


def secret_volume(secret: str) -> dict[str, Any]:
    return {"name": "more", "secret": {"secretName": secret}}


def in_environment(container: int, secret: str) -> Any:
    source = {"secretKeyRef": {"name": secret, "key": "token"}}
    entry = {"name": "GITHUB_ACCESS_TOKEN", "valueFrom": source}
    return lambda pod: pod["spec"]["containers"][container].setdefault("env", []).append(entry)


def all_in_environment(pod: Manifest) -> None:
    pod["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": MINE}}]


def projected(pod: Manifest) -> None:
    source = {"secret": {"name": OTHERS}}
    pod["spec"]["volumes"].append({"name": "more", "projected": {"sources": [source]}})


def mounted(kind: str, index: int, **item: Any) -> Any:
    def change(pod: Manifest) -> None:
        pod["spec"][kind][index].setdefault("volumeMounts", []).append(item)

    return change


CHANGES = {
    "another person's": lambda pod: pod["spec"]["volumes"].append(secret_volume(OTHERS)),
    "mine, a second time": lambda pod: pod["spec"]["volumes"].append(secret_volume(MINE)),
    "among others": projected,
    "in a variable": in_environment(0, MINE),
    "of another, in a variable": in_environment(0, OTHERS),
    "in a variable of a sidecar": in_environment(1, MINE),
    "in all variables": all_in_environment,
    "for a sidecar": mounted("containers", 1, name=VOLUME, mountPath="/x"),
    "for an init container": mounted("initContainers", 0, name=VOLUME, mountPath=FOLDER),
    "in a second place": mounted("containers", 0, name=VOLUME, mountPath="/x"),
    "something in its place": mounted("containers", 0, name="home", mountPath=f"{FOLDER}/"),
    "something below": mounted("containers", 0, name="home", mountPath=f"{FOLDER}/token"),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("token", [TOKEN, None], ids=["with a token", "without one"])
def test_d24_a_token_is_nowhere_else(name: str, token: TokenMount | None) -> None:
    manifest = with_token() if token else kubespawner_pod()
    CHANGES[name](manifest)
    assert list(misplaced(manifest, token))


def test_a_pod_without_a_token_has_no_mount_of_one() -> None:
    assert list(misplaced(with_token(), None))
    assert list(misplaced(kubespawner_pod(), TOKEN))
    assert not list(misplaced(kubespawner_pod(volumes=[secret_volume("tls")]), None))


def test_d24_the_last_look_refuses_it() -> None:
    settings, expected = PodSettings(), expected_of(ANN, "/home/ann", PodSettings())
    finish(kubespawner_pod(), expected, settings, Configured())
    pod = kubespawner_pod(volumes=[secret_volume(OTHERS)], volume_mounts=[])
    with pytest.raises(PodRefused, match="the person's token"):
        finish(pod, expected, settings, Configured())


# git


class Git:
    """git in a home of its own, configured as in a pod whose files are in a folder."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._files = home / "files"
        self._files.mkdir()
        manifest = kubespawner_pod(env={})
        set_variables(manifest, {}, TOKEN.git)
        variables = {item["name"]: item["value"] for item in notebook(manifest)["env"]}
        self._variables = {
            name: value.replace(FOLDER, str(self._files)) for name, value in variables.items()
        }
        (home / ".gitconfig").write_text("[credential]\nhelper = store\n")

    def deliver(self, token: str) -> None:
        data = data_of({"access_token": token}, SETTINGS)
        assert data is not None
        (self._files / GIT).write_text(read(data)[GIT])

    def credential(self, action: str, url: str, **more: str) -> str:
        asked = f"url={url}\n" + "".join(f"{key}={value}\n" for key, value in more.items())
        environment = {
            **{"PATH": os.environ["PATH"], "HOME": str(self._home), "GIT_TERMINAL_PROMPT": "0"},
            **self._variables,
        }
        done = subprocess.run(
            ["git", "credential", action],
            input=asked,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        return done.stdout if done.returncode == 0 else done.stderr

    @property
    def stored(self) -> bool:
        """Whether the helper that the person has configured was told something."""
        return (self._home / ".git-credentials").exists()


@pytest.fixture
def git(tmp_path: Path) -> Git:
    git = Git(tmp_path)
    git.deliver("gho_1")
    return git


def test_git_uses_the_token_as_it_is_now(git: Git) -> None:
    assert "username=oauth2\npassword=gho_1\n" in git.credential("fill", f"{URL}/a/b.git")
    git.deliver("gho_2")
    assert "password=gho_2\n" in git.credential("fill", f"{URL}/a/b.git")


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/a/b.git",
        "https://other.example.org:8443/a/b.git",
        "https://git.example.org:8443.evil.example/a/b.git",
        "http://git.example.org:8443/a/b.git",
        "https://evil.example/git.example.org:8443",
    ],
)
def test_d24_no_other_host_gets_the_token(git: Git, url: str) -> None:
    assert "gho_1" not in git.credential("fill", url)


def test_d24_git_keeps_the_token_nowhere(git: Git) -> None:
    """The person's own helper, which writes what works into the home, is not told."""
    for action in ("approve", "reject"):
        assert git.credential(action, URL, username="oauth2", password="gho_1") == ""
    assert not git.stored
    assert "password=gho_1" in git.credential("fill", URL)
    git.credential("approve", "https://elsewhere.example", username="me", password="mine")
    assert git.stored  # elsewhere it is
