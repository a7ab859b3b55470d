"""What profiles cost that stand in files, against the same ones in ``profile_list``."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from kubespawner import KubeSpawner
from rich.table import Table
from traitlets.config import Config

from jhext import ProfileKubeSpawner
from jhext.config import rules_of
from jhext.profiles.sources import Sources, load
from jhext.settings import Settings

from .cases import form, options
from .measure import Step, cpu_seconds
from .spawners import listed, make, profiles

PROFILES = 500
FILES = 50
USERS = 10_000


async def table() -> Table:
    """Measure everything; takes about half a minute."""
    made = Table("work", "profile_list", "files", title=f"{PROFILES} profiles, {USERS} users")
    with TemporaryDirectory(prefix="jhext-bench-") as name:
        sources = write(Path(name))
        files = Config()
        files.ProfileKubeSpawner.profile_files = list(sources.profile_files)
        files.ProfileKubeSpawner.profile_mapping_files = list(sources.mapping_files)
        sides = {"profile_list": listed(PROFILES), "files": files}
        for work, step in (("form page", form), ("load_user_options", options)):
            seconds = await cpu_seconds(
                {side: partial(_on_new, step, config) for side, config in sides.items()}
            )
            made.add_row(work, *(f"{1000 * value:.3f} ms" for value in seconds.values()))
        steps: Mapping[str, Callable[[], Step]] = {
            "reading all anew": lambda: partial(_load, sources),
            "form page after a change": partial(_changed, files, Path(sources.mapping_files[0])),
        }
        seconds = await cpu_seconds(steps, rounds=5)
        for work, value in seconds.items():
            made.add_row(work, "-", f"{1000 * value:.0f} ms")
    return made


def _on_new(step: Callable[[KubeSpawner], Awaitable[object]], config: Config) -> Step:
    return partial(step, make(ProfileKubeSpawner, config))


async def _load(sources: Sources) -> None:
    load(sources, *rules_of(Config(), Settings(), ProfileKubeSpawner))


def _changed(config: Config, mapping: Path) -> Step:
    """Change a right, and show somebody the form."""
    with mapping.open("a") as file:
        file.write(f"user{time.time_ns()}:profile-0\n")
    return partial(form, make(ProfileKubeSpawner, config))


def write(folder: Path) -> Sources:
    """Write the profiles, and a mapping file that gives one to each user."""
    found = profiles(PROFILES)
    (folder / "profiles.d").mkdir()
    for start in range(FILES):
        path = folder / "profiles.d" / f"{start:02}.yaml"
        path.write_text(yaml.safe_dump({"profiles": found[start::FILES]}, sort_keys=False))
    mapping = folder / "mapping"
    lines = (f"user{number}:profile-{number % PROFILES}\n" for number in range(USERS))
    mapping.write_text("".join(lines))
    long_ago = time.time() - 60
    for path in (*folder.glob("profiles.d/*"), mapping):
        os.utime(path, (long_ago, long_ago))
    return Sources(profile_files=(str(folder / "profiles.d"),), mapping_files=(str(mapping),))
