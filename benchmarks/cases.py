"""The work that is measured, and the table of what it took."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

from jupyterhub.utils import maybe_future
from kubespawner import KubeSpawner
from rich.table import Table
from traitlets.config import Config

from jhext import ProfileKubeSpawner

from .measure import Step, bytes_each, cpu_seconds
from .spawners import filtered, listed, make


@dataclass(frozen=True)
class Row:
    work: str
    profiles: int
    unit: str
    plain: float
    ours: float
    at_least: str


async def form(spawner: KubeSpawner) -> object:
    """Make the page for somebody who sees what many others see."""
    return await maybe_future(spawner.get_options_form())


async def new_form(spawner: KubeSpawner) -> object:
    """Make a page that nobody has seen before: what was chosen last is part of it."""
    image = f"registry.example.org/lab/{next(NUMBERS)}"
    spawner.user_options = {"profile": "profile-0", "image--unlisted-choice": image}
    return await form(spawner)


async def options(spawner: KubeSpawner) -> None:
    await spawner.load_user_options()


async def spawn(spawner: KubeSpawner) -> None:
    """Take the steps of a start that cost the hub itself, in JupyterHub's order."""
    spawner.clear_state()
    await spawner._run_apply_user_options(spawner.user_options)
    await maybe_future(spawner.run_pre_spawn_hook())
    await spawner.load_user_options()
    await spawner.get_pod_manifest()
    spawner.get_state()


NUMBERS = count()
CPU = [
    ("form page", form, 20, "30"),
    ("form page", form, 200, "30"),
    ("form page", form, 1000, "30"),
    ("form page, new", new_form, 200, "-"),
    ("load_user_options", options, 200, "5"),
    ("load_user_options", options, 1000, "20"),
    ("spawn", spawn, 1, "0.95"),
    ("spawn", spawn, 200, "1.8"),
    ("spawn", spawn, 1000, "5"),
]


async def rows() -> list[Row]:
    """Measure everything; takes about a minute."""
    measured = []
    for work, step, number, at_least in CPU:
        sides = {KubeSpawner: filtered(number), ProfileKubeSpawner: listed(number)}
        seconds = await cpu_seconds(
            {kind.__name__: partial(_on_new, step, kind, config) for kind, config in sides.items()}
        )
        plain_ms, our_ms = (1000 * value for value in seconds.values())
        measured.append(Row(work, number, "ms", plain_ms, our_ms, at_least))
    config = listed(200)
    plain_kib, our_kib = (
        bytes_each(partial(make, kind, config)) / 1024 for kind in (KubeSpawner, ProfileKubeSpawner)
    )
    measured.append(Row("memory of a spawner", 200, "KiB", plain_kib, our_kib, "≤ 32 KiB"))
    return measured


def _on_new(
    step: Callable[[KubeSpawner], Awaitable[object]], kind: type[KubeSpawner], config: Config
) -> Step:
    """Prepare a step on a new Spawner, as JupyterHub makes one after each stop."""
    return partial(step, make(kind, config))


def table(measured: list[Row]) -> Table:
    made = Table("work", "profiles", "KubeSpawner", "jhext", "times less", "at least")
    for row in measured:
        made.add_row(
            row.work,
            str(row.profiles),
            f"{row.plain:.2f} {row.unit}",
            f"{row.ours:.3f} {row.unit}",
            f"{row.plain / row.ours:.2f}",
            row.at_least,
        )
    return made
