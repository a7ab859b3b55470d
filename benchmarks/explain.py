"""How long ``jhext explain`` takes for a large hub: ``python -m benchmarks.explain``."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from rich.console import Console
from rich.table import Table

PROFILES = 500
USERS = 10_000
ROUNDS = 5
COMMAND = [sys.executable, "-c", "from jhext.cli import main; main()", "explain"]


def main() -> None:
    table = Table(
        "command", "CPU s", "wall s", title=f"{PROFILES} profiles, {USERS} users in files"
    )
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, PROFILES, USERS)
        row(table, folder, "explain, 500 profiles", ["user77"])
        row(table, folder, "explain --profile", ["user77", "--profile", "profile-77"])
        write(folder, 1, 1)
        row(table, folder, "explain, one profile", ["user0"])
    Console().print(table)


def row(table: Table, folder: Path, title: str, arguments: list[str]) -> None:
    """Run a command some times; the quickest tells what it costs undisturbed."""
    taken = []
    for _ in range(ROUNDS):
        before, began = cpu_of_children(), time.perf_counter()
        subprocess.run([*COMMAND, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        taken.append((cpu_of_children() - before, time.perf_counter() - began))
    table.add_row(title, *(f"{min(column):.2f}" for column in zip(*taken, strict=True)))


def cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def write(folder: Path, profiles: int, users: int) -> None:
    """Write profiles in 50 files, half of the rights in a mapping file, half in lists of names."""
    hub = {"profile_files": ["profiles.d"], "profile_mapping_files": ["mapping"]}
    (folder / "jhext.yaml").write_text(yaml.safe_dump({"hub": hub}))
    (folder / "profiles.d").mkdir(exist_ok=True)
    for path in folder.glob("profiles.d/*"):
        path.unlink()
    for start in range(min(50, profiles)):
        found = [profile(number) for number in range(start, profiles, 50)]
        path = folder / "profiles.d" / f"{start:02}.yaml"
        path.write_text(yaml.safe_dump({"profiles": found}, sort_keys=False))
    lines = [f"user{number}:profile-{number % profiles}\n" for number in range(users // 2 + 1)]
    (folder / "mapping").write_text("".join(lines))
    names = [f"user{number}\n" for number in range(users // 2, users)]
    (folder / "users.txt").write_text("".join(names))


def profile(number: int) -> dict[str, object]:
    sizes = {"small": "4G", "medium": "8G", "large": "16G"}
    return {
        "slug": f"profile-{number}",
        "display_name": f"Profile {number}",
        "allowed_groups": [f"lab:{number}"],
        **({} if number % 50 else {"allowed_users": {"file": "../users.txt"}}),
        "kubespawner_override": {"image": f"registry.example.org/lab-{number}:1", "cpu_limit": 2},
        "profile_options": {
            "size": {
                "display_name": "Size",
                "choices": {
                    size: {"display_name": size, "kubespawner_override": {"mem_limit": memory}}
                    for size, memory in sizes.items()
                },
            }
        },
    }


if __name__ == "__main__":
    main()
