"""The example github, with a stand-in that says what GitHub can say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jhext.demo.client import HubClient
from jhext.demo.forms import SpawnForm
from jhext.demo.processes import free_port
from jhext.demo.proxy import Proxy
from tests.directories.folders import short_folder
from tests.github.standin import GitHub, browsing, entered, log_in, running_github
from tests.hub import examples
from tests.hub.bench import Bench

STATE: dict[str, Any] = {
    "people": {
        "octocat": {
            "id": 583231,
            "name": "The Octocat",
            "organizations": ["My-Org"],
            "teams": [["My-Org", "gpu-users"]],
        },
        "hubot": {"id": 480938, "organizations": ["My-Org"], "teams": []},
        "mona": {"id": 123456, "organizations": ["others"], "teams": []},
    },
    "organizations": {"My-Org": 900, "others": 901},
    "teams": {"My-Org/gpu-users": 7001},
}
OFFERED = {"octocat": {"lab", "gpu"}, "hubot": {"lab"}}


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with running_github(tmp_path_factory.mktemp("github"), STATE) as github:
        yield github


@pytest.fixture(scope="module")
def files() -> Iterator[Path]:
    """Make what the NFS server has; NFS is this machine's files here."""
    with short_folder() as folder:
        folder.chmod(0o755)
        for name in ("home", "project", "scratch", "datasets"):
            (folder / name).mkdir()
        (folder / "home").chmod(0o1777)
        yield folder


@pytest.fixture(scope="module")
def bench(proxy: Proxy, github: GitHub, files: Path) -> Iterator[Bench]:
    port = free_port()
    places = {
        "https://hub.example.org/": f"http://127.0.0.1:{port}/",
        "github_url: https://github.com": f"github_url: {github.url}",
        'type: nfs, server: nfs.example.org, path: "/exports': f'type: host_path, path: "{files}',
        # where pods cannot have uids of their own, all files are of one uid
        "create: user ": "check_owner: false\n    create: user ",
        "gpu: {timeout: 2h}": "gpu: {timeout: 5s}",
    }
    env = {"JUPYTERHUB_CRYPT_KEY": "00" * 32, "GITHUB_CLIENT_SECRET": "local-only"}
    with examples.running_example("github", proxy, places=places, env=env, port=port) as bench:
        yield bench


@pytest.mark.parametrize("name", OFFERED)
async def test_form_is_what_organizations_and_teams_say(
    bench: Bench, github: GitHub, name: str
) -> None:
    async with browsing(bench, github, name) as (browser, _):
        form = await browser.get(f"{bench.hub.url}/hub/spawn")
    assert set(SpawnForm.parse(form.text).profiles) == OFFERED[name]


async def test_who_is_in_no_team_gets_no_more(bench: Bench, github: GitHub) -> None:
    async with await entered(bench, github, "hubot") as hubot:
        assert await examples.start(hubot, "hubot", "gpu") == 403
        assert await examples.start(hubot, "hubot", "lab", size="large") == 403
        assert await bench.pods("hubot") == []


async def test_pod_is_the_persons_and_ends(bench: Bench, github: GitHub, files: Path) -> None:
    async with await entered(bench, github, "octocat") as octocat:
        pod = await examples.pod_of(bench, octocat, "octocat", "gpu", size="large", image="weekly")
        assert await examples.culled(bench, octocat, "octocat") == "idle"
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (583231, 583231)
    assert set(context["supplementalGroups"]) == {900, 1_000_007_001}
    (container,) = pod["spec"]["containers"]
    assert container["image"].endswith("lab:w_2025_40")
    assert container["resources"]["limits"]["cpu"] == "4.0"
    mounts = examples.mounted(pod)
    home = mounts["/home/octocat"]
    assert (home["hostPath"]["path"], home["subPath"]) == (f"{files}/home", "octocat")
    assert "readOnly" not in mounts["/project"]
    assert mounts["/datasets"]["readOnly"]
    assert "secret" in mounts["/run/secrets/jhext"]
    assert sorted(path.name for path in (files / "home/octocat").iterdir()) == [
        *("DATA", "WORK", "notebooks")
    ]
    environment = examples.environment(pod)
    assert environment["GIT_AUTHOR_NAME"] == "The Octocat"
    assert "credential.https://github.com.helper" in environment.values()
    assert pod["metadata"]["labels"]["jhext.io/profile"] == "gpu"


async def test_nobody_else_gets_in(bench: Bench, github: GitHub) -> None:
    page, token = await log_in(bench, github, "mona")
    assert (page.status_code, token) == (403, "")


async def test_pages_are_of_the_theme(bench: Bench) -> None:
    async with HubClient(bench.hub.url) as client:
        page = await client.get("/hub/login")
    assert "Notebooks of My Org" in page.text
    assert "/scratch is not" in page.text
