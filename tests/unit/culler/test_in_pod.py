"""What a pod is told of its idle times, by the rules as they are at its start."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

import jhext
from jhext.culler.in_pod import InPod, variables

KERNEL, OLDER = "CULL_KERNEL_IDLE_TIMEOUT", "JUPYTERNB_KERNEL_TIMEOUT"
PROFILES = """
profiles:
  - {slug: lab, display_name: Lab, allow_all: true}
  - slug: own
    display_name: Own
    allow_all: true
    kubespawner_override: {environment: {CULL_KERNEL_IDLE_TIMEOUT: "7"}}
  - slug: seed
    display_name: Seed
    allow_all: true
    kubespawner_override: {environment: {JUPYTERNB_KERNEL_TIMEOUT: "8"}}
"""
CULLER = "culler: {in_pod: {kernel_idle_timeout: 1h}, profiles: {lab: {in_pod: %s}}}\n"


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ({}, {}),
        ({"kernel_idle_timeout": "90s"}, {KERNEL: "90", "JUPYTERNB_KERNEL_TIMEOUT": "90"}),
        ({"kernel_idle_timeout": "never"}, {KERNEL: "0", "JUPYTERNB_KERNEL_TIMEOUT": "0"}),
        ({"no_activity_timeout": "1500ms"}, {"NO_ACTIVITY_TIMEOUT": "2"}),
        (
            {"kernel_connected": True, "kernel_busy": False},
            {"CULL_KERNEL_CONNECTED": "true", "CULL_KERNEL_BUSY": "false"},
        ),
        (
            {"terminal_inactive_timeout": 60, "interval": 5},
            {
                "CULL_TERMINAL_INACTIVE_TIMEOUT": "60",
                "CULL_TERMINAL_INTERVAL": "5",
                "CULL_KERNEL_INTERVAL": "5",
            },
        ),
    ],
)
def test_variables(times: dict[str, Any], told: dict[str, str]) -> None:
    assert variables(InPod(**times)) == told


async def test_a_start_tells_what_the_rules_say_then(make_spawner: Any, tmp_path: Path) -> None:
    path = tmp_path / "jhext.yaml"
    path.write_text(PROFILES + CULLER % "{kernel_idle_timeout: 5m}")
    config = Config()
    jhext.configure(config, path)
    spawner = make_spawner(config=config)

    async def told(profile: str, name: str = KERNEL) -> str | None:
        spawner.user_options = {"profile": profile}
        await spawner.load_user_options()
        value: str | None = spawner.get_env().get(name)
        return value

    assert await told("lab") == "300"
    assert (await told("own"), await told("own", OLDER)) == ("7", None)
    # The file for images asks for this name last.
    assert (await told("seed"), await told("seed", OLDER)) == (None, "8")
    for changed, expected in (
        ("{kernel_idle_timeout: 6m}", "360"),
        ("{kernel_busy: true}", None),  # the whole of it is from one rule
        ("{kernel_idle_timeout: soon}", None),  # faulty: the rules before hold on
    ):
        await asyncio.to_thread(path.write_text, PROFILES + CULLER % changed)
        assert await told("lab") == expected


async def test_without_a_culler_nothing_is_told(make_spawner: Any) -> None:
    config = Config()
    jhext.configure(config, {"profiles": [{"slug": "a", "display_name": "A", "allow_all": True}]})
    spawner = make_spawner(config=config)
    await spawner.load_user_options()
    assert not {name for name in spawner.get_env() if name.startswith(("CULL_", "JUPYTERNB_"))}
