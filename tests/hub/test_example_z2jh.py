"""The hub of the example z2jh, configured from its values as the chart does it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from jhext.demo.processes import Children
from jhext.demo.proxy import Proxy
from tests.hub import examples
from tests.hub.bench import start_configured
from tests.hub.example_logins import SECRETS, Login, provided

FOLDER = examples.EXAMPLES / "z2jh"
CHART = Path(__file__).with_name("z2jh_config.py")
PEOPLE: dict[str, dict[str, list[str]]] = {
    "f-81d4": {"groups": ["staff"]},
    "a-91c2": {"groups": ["students"]},
    "first-admin": {"groups": []},
}


@pytest.fixture(scope="module")
def login(proxy: Proxy, request: pytest.FixtureRequest) -> Iterator[Login]:
    routes = {"authorization": "/authorize", "token": "/token", "userinfo": "/userinfo"}
    with (
        provided(request, PEOPLE, {"routes": routes}) as here,
        TemporaryDirectory(prefix="jhext-hub-") as made,
        Children() as children,
    ):
        folder = Path(made)
        folder.chmod(0o711)
        values, settings = folder / "jhext.yaml", folder / "etc" / "jhext.yaml"
        values.write_text((FOLDER / "values.yaml").read_text())
        examples.put_in_place(
            values,
            here.places(
                {
                    "idp.example.org": "PROVIDER",
                    "https://hub.example.org": "HUB",
                    "/etc/jhext/jhext.yaml": str(settings),
                    "/opt/jhext/": f"{FOLDER}/image/",
                    "activeServerLimit: 100": "activeServerLimit: 1",
                }
            ),
        )
        settings.parent.mkdir()
        settings.write_text((FOLDER / "jhext.yaml").read_text())
        times = {"staff: {timeout: 4h}": "staff: {timeout: 3s}", "cull_every: 3m": "cull_every: 1s"}
        examples.put_in_place(settings, times)
        config = f"load_subconfig({str(CHART)!r})\n{examples.stand_in(folder)}{here.trusted}\n"
        bench = start_configured(children, folder, proxy, (), config, SECRETS, here.port)
        yield Login(bench, here.provider, here.tls)


def about_student(login: Login) -> list[str]:
    decisions = login.bench.decisions()
    return [decision["decision"] for decision in decisions if decision["user"] == "a-91c2"]


async def test_groups_of_the_provider_say_what_is_offered(login: Login) -> None:
    async with login.entered("f-81d4") as staff, login.entered("a-91c2") as student:
        assert staff.offered == {"small", "science", "gpu"}
        assert student.offered == {"small", "science"}
        # The chart has the hub answer before it has decided.
        await examples.start(student.client, "a-91c2", "gpu")
        async with asyncio.timeout(30):
            while not (decided := about_student(login)):  # noqa: ASYNC110 - only the log tells
                await asyncio.sleep(0.1)
    assert decided == ["refused"]
    assert await login.bench.pods("a-91c2") == []


async def test_pod_is_the_charts_with_a_home_of_jhext(login: Login) -> None:
    async with login.entered("f-81d4") as staff, login.entered("a-91c2") as student:
        pod = await examples.pod_of(login.bench, staff.client, "f-81d4", "gpu")
        assert await examples.start(student.client, "a-91c2", "small") == 429, "the active limit"
        assert await examples.culled(login.bench, staff.client, "f-81d4") == "idle"
    spec = pod["spec"]
    (container,) = spec["containers"]
    assert container["securityContext"]["runAsUser"] == 1000
    assert spec["securityContext"]["fsGroup"] == 100
    assert container["image"] == "quay.io/jupyter/pytorch-notebook:cuda12-2025-09-30"
    home = examples.mounted(pod)["/home/jovyan"]["persistentVolumeClaim"]["claimName"]
    assert home == "home-f-81d4"
    assert "initContainers" not in spec, "nothing that is privileged"
    labels = pod["metadata"]["labels"]
    assert (labels["release"], labels["jhext.io/profile"]) == ("jhub", "gpu")
    assert "gpu" in {item["key"].removeprefix("nvidia.com/") for item in spec["tolerations"]}


async def test_first_admin_and_theme(login: Login) -> None:
    async with login.entered("first-admin") as admin:
        assert (admin.admin, admin.offered) == (True, {"small"})
    async with httpx.AsyncClient(base_url=f"{login.bench.hub.url}/hub/") as browser:
        page = (await browser.get("login")).text
        logo = (await browser.get("logo")).text
    assert "<title>Example Lab</title>" in "".join(page.split("\n")).replace("  ", "")
    assert "Help: support@example.org" in page
    assert logo == (FOLDER / "image" / "logo.svg").read_text()
