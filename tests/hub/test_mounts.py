"""Mounts by rule in real starts: whose they are, and that a change is in the next start."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from jhext.demo.accounts import Account
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

PEOPLE = [
    Account(name="ann", uid=2001, groups=("lab",)),
    Account(name="bob", uid=2002),
]
SCRATCH = {"name": "scratch", "source": {"type": "empty_dir"}, "mount_path": "/scratch"}


def settings(*mounts: dict[str, Any]) -> dict[str, Any]:
    profiles = [
        {"slug": "cpu", "display_name": "CPU", "allow_all": True},
        {"slug": "gpu", "display_name": "GPU", "allow_all": True},
    ]
    return {"profiles": profiles, "storage": {"mounts": list(mounts)}}


STARTED_WITH = settings(
    {**SCRATCH, "allowed_groups": ["lab"], "writers": {"allow_all": True}},
    {**SCRATCH, "name": "fast", "mount_path": "/fast", "profiles": ["gpu"]},
)


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub(PEOPLE, STARTED_WITH)


def say(bench: Bench, what: Any) -> None:
    (bench.accounts_file.parent / "jhext.yaml").write_text(yaml.safe_dump(what))


async def places(bench: Bench, name: str, profile: str = "cpu") -> list[str]:
    """Start a server, stop it, and tell what of these tests it had mounted."""
    async with bench.program(name) as program:
        answer = await program.api("POST", f"/users/{name}/server", {"profile": profile})
        assert answer.status in (201, 202), answer.text
        await program.wait_for_server(name)
        (pod,) = await bench.pods(name)
        await program.stop_server(name)
    mounts = pod["spec"]["containers"][0].get("volumeMounts") or ()
    return sorted(one["mountPath"] for one in mounts if one["name"].startswith("jhext-mount-"))


async def test_who_has_what(bench: Bench) -> None:
    say(bench, STARTED_WITH)
    assert await places(bench, "ann") == ["/scratch"]
    assert await places(bench, "bob") == []
    assert await places(bench, "bob", "gpu") == ["/fast"]
    assert await places(bench, "ann", "gpu") == ["/fast", "/scratch"]


async def test_a_change_is_in_the_next_start(bench: Bench) -> None:
    """And a faulty one, a place that is reserved, leaves what was before."""
    say(bench, settings({**SCRATCH, "mount_path": "/other", "allow_all": True}))
    assert await places(bench, "bob") == ["/other"]
    say(bench, settings({**SCRATCH, "mount_path": "/etc/passwd", "allow_all": True}))
    assert await places(bench, "bob") == ["/other"]
    assert "storage.mounts.0.mount_path: '/etc/passwd' belongs to the system" in bench.log
    assert "in the sections storage waits for a restart" not in bench.log


async def test_names_may_stand_in_a_file_of_their_own(bench: Bench) -> None:
    """And a change of that file is in the next start; one that cannot be read changes nothing."""
    people = bench.accounts_file.parent / "people.txt"
    people.write_text("ann\n")
    say(bench, settings({**SCRATCH, "allowed_users": {"file": people.name}}))
    assert await places(bench, "bob") == []
    people.write_text("ann bob\n")
    assert await places(bench, "bob") == ["/scratch"]
    people.write_text('a"nn\n')
    assert await places(bench, "bob") == ["/scratch"]
    assert "people.txt" in bench.log
