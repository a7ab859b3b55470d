"""Profiles change while people start servers: everybody gets one version, and the whole of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.forms import SpawnForm
from tests.config_map import ConfigMap
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

SWAPS = 1000
ADMIN = Account(name="ada", uid=1999, admin=True)
PEOPLE = [Account(name=f"user{n}", uid=2000 + n) for n in range(20)]


def version(number: int) -> Mapping[str, str]:
    """Give files of which no two versions fit together."""
    base = f"{{slug: base-{number}, abstract: true, environment: {{BASE: '{number}'}}}}"
    profile = (
        f"{{slug: lab-{number}, display_name: Lab {number}, extends: base-{number}, "
        f"environment: {{PROFILE: '{number}'}}}}"
    )
    return {
        "base.yaml": f"profiles: [{base}]",
        "lab.yaml": f"profiles: [{profile}]",
        "mapping": f"*:lab-{number}\n",
    }


FAULTY = {"base.yaml": "profiles: [", "lab.yaml": "", "mapping": "nobody\n"}


@pytest.fixture(scope="module")
def config_map(tmp_path_factory: pytest.TempPathFactory) -> ConfigMap:
    config_map = ConfigMap(tmp_path_factory.mktemp("mounted"))
    config_map.write(version(0))
    return config_map


@pytest.fixture(scope="module")
def bench(run_hub: RunHub, config_map: ConfigMap) -> Bench:
    files = {
        "profile_files": [str(config_map.folder)],
        "profile_mapping_files": [config_map.path("mapping")],
    }
    return run_hub([*PEOPLE, ADMIN], {"hub": files})


def versions_in(pod: Mapping[str, Any]) -> set[str]:
    """Give the numbers of all versions of which a pod has something."""
    environment = {item["name"]: item.get("value") for item in pod["spec"]["containers"][0]["env"]}
    label = pod["metadata"]["labels"]["jhext.io/profile"]
    return {environment["BASE"], environment["PROFILE"], label.removeprefix("lab-")}


async def change(config_map: ConfigMap) -> None:
    for number in range(1, SWAPS + 1):
        files = FAULTY if number % 10 == 5 else version(number)
        await asyncio.to_thread(config_map.write, files)
        await asyncio.sleep(0.05)


async def start_and_stop(bench: Bench, name: str, changing: asyncio.Task[None]) -> list[str]:
    """Start a server again and again, and tell the versions that they were of."""
    seen = []
    async with bench.program(name) as program:
        while not changing.done() or not seen:
            answer = await program.api("POST", f"/users/{name}/server")
            assert answer.status in (201, 202), answer.text
            await program.wait_for_server(name)
            (pod,) = await bench.pods(name)
            (one,) = versions_in(pod)
            seen.append(one)
            await program.stop_server(name)
    return seen


async def test_no_start_fails_or_has_half_a_version(bench: Bench, config_map: ConfigMap) -> None:
    decided_before = len(bench.decisions())
    config_map.write(version(0))
    changing = asyncio.create_task(change(config_map))
    seen = await asyncio.gather(
        *(start_and_stop(bench, person.name, changing) for person in PEOPLE)
    )
    await changing
    assert {number for numbers in seen for number in numbers} > {seen[0][0]}
    assert "refused" not in {event["decision"] for event in bench.decisions()[decided_before:]}


async def test_files_that_break_before_anybody_asks(run_hub: RunHub, tmp_path: Path) -> None:
    """The version that the hub started with is the one before them."""
    config_map = ConfigMap(tmp_path / "mounted")
    config_map.write(version(1))
    bench = run_hub(
        PEOPLE[:1], {"hub": {"profile_files": [str(config_map.folder)], "default_access": "allow"}}
    )
    config_map.write(FAULTY)
    async with bench.browser("user0") as browser:
        page = await browser.get("/hub/spawn")
    assert SpawnForm.parse(page.text).profiles == ("lab-1",)


async def test_a_change_is_in_the_next_form(bench: Bench, config_map: ConfigMap) -> None:
    async with bench.browser("user0") as browser:
        for number in (2001, 2002):
            config_map.write(version(number))
            page = await browser.get("/hub/spawn")
            assert SpawnForm.parse(page.text).profiles == (f"lab-{number}",)
            config_map.write(FAULTY)
            page = await browser.get("/hub/spawn")
            assert SpawnForm.parse(page.text).profiles == (f"lab-{number}",)


async def test_metrics_and_log_tell_of_faulty_profiles(bench: Bench, config_map: ConfigMap) -> None:
    name = "jhext_profiles_last_reload_successful"
    async with bench.browser(ADMIN.name) as browser:
        for files, value in ((version(3000), "1.0"), (FAULTY, "0.0"), (version(3001), "1.0")):
            config_map.write(files)
            await browser.get("/hub/spawn")
            metrics = await browser.get("/hub/metrics")
            assert f"{name} {value}\n" in metrics.text
    assert "The profiles changed and are faulty" in bench.log
    assert f"{config_map.path('mapping')}:1: is not user:profile" in bench.log
