"""Four profiles and a mapping file of a hub from 2019 work as they stand.

vOrcunus/jupyter-openshift named profiles by their display names, and looked a line
``user:profile`` up in a file at each start; everybody could start the first profile.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jhext.demo.accounts import Account
from jhext.demo.forms import SpawnForm
from tests.hub import doors
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

MAPPING = Path(__file__).parents[1] / "data" / "seed1" / "tcuser_profile_mappings"
GIB = 2**30


def profile(number: int, guarantee: int, limit: int, timeout: int) -> dict[str, object]:
    return {
        "display_name": f"notebook-cpu-type{number}",
        "kubespawner_override": {
            "mem_guarantee": f"{guarantee}G",
            "mem_limit": f"{limit}G",
            "environment": {
                "JUPYTER_ENABLE_LAB": "true",
                "PYTHONPATH": "/opt/app-root/src/PV/site-packages",
                "JUPYTERNB_KERNEL_TIMEOUT": str(timeout),
            },
        },
    }


SIZES = [(6, 24, 21600), (8, 32, 14400), (16, 64, 7200), (16, 128, 7200)]
PROFILES = [profile(number, *size) for number, size in enumerate(SIZES)]
CPU = [str(item["display_name"]) for item in PROFILES]
GPU = "notebook-gpu-type0"

PEOPLE = [
    *(Account(name=f"user{n}", uid=2000 + n) for n in (1, 2, 4)),
    Account(name=doors.ADMIN, uid=2009, admin=True),
]
HAVE = {"user1": CPU[:3], "user2": [CPU[0], CPU[2]], "user4": CPU[:1]}


@pytest.fixture(scope="module")
def bench(run_hub: RunHub, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    everybody = tmp_path_factory.mktemp("seed1") / "everybody"
    everybody.write_text(f"*:{CPU[0]}\n")
    config = f"""
c.KubeSpawner.profile_list = {PROFILES!r}
c.ProfileKubeSpawner.profile_mapping_files = {[str(MAPPING), str(everybody)]!r}
"""
    return run_hub(PEOPLE, {}, config)


@pytest.mark.parametrize("name", HAVE)
async def test_form_shows_what_the_file_says(bench: Bench, name: str) -> None:
    async with bench.browser(name) as browser:
        page = await browser.get("/hub/spawn")
    assert list(SpawnForm.parse(page.text).profiles) == HAVE[name]


@pytest.mark.parametrize("name", HAVE)
@pytest.mark.parametrize("asked", [*CPU, GPU])
async def test_everybody_gets_what_the_file_says(bench: Bench, name: str, asked: str) -> None:
    for door in (doors.form, doors.rest):
        answer = await door(bench, name, {"profile": asked})
        if asked not in HAVE[name]:
            assert answer.status == 403
            assert await bench.pods(name) == []
            continue
        assert answer.status < 400
        await check_pod(bench, name, CPU.index(asked))


async def check_pod(bench: Bench, name: str, number: int) -> None:
    """Check what somebody got, and stop it."""
    async with bench.program(name) as program:
        await program.wait_for_server(name)
        (pod,) = await bench.pods(name)
        await program.stop_server(name)
    (container,) = pod["spec"]["containers"]
    guarantee, limit, timeout = SIZES[number]
    assert container["resources"]["requests"]["memory"] == str(guarantee * GIB)
    assert container["resources"]["limits"]["memory"] == str(limit * GIB)
    environment = {item["name"]: item.get("value") for item in container["env"]}
    assert environment["JUPYTERNB_KERNEL_TIMEOUT"] == str(timeout)
    assert environment["JUPYTER_ENABLE_LAB"] == "true"


async def test_dangling_line_is_in_the_log_once(bench: Bench) -> None:
    async with bench.browser("user1") as browser:
        await browser.get("/hub/spawn")
    assert bench.log.count(f"{MAPPING}:9: user4:{GPU}: never matches") == 1
