"""Sources are read again when they change, by nobody who waits in the event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from jhext.errors import SpawnRefused
from jhext.profiles import watch as module
from jhext.profiles.catalog import Policy
from jhext.profiles.lint import LintRules
from jhext.profiles.sources import Sources
from jhext.profiles.watch import Current, Watch
from tests.config_map import ConfigMap

MakeSpawner = Callable[..., Any]

SEED1 = Path(__file__).parents[2] / "data" / "seed1" / "tcuser_profile_mappings"

GOOD = "profiles: [{display_name: %s, slug: a, allow_all: true}]"
BAD = "profiles: [{display_name: A, alow_all: true}]"


class File:
    """A file with a profile, which shows a name and is there or not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.path = str(path)
        self.shows("One")

    def shows(self, name: str) -> None:
        self._path.write_text(GOOD % name)

    def is_faulty(self) -> None:
        self._path.write_text(BAD)

    def vanishes(self) -> None:
        self._path.unlink()


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "profiles.yaml")


@pytest.fixture
def watch(file: File, lint_rules: LintRules) -> Watch:
    return Watch(Sources(profile_files=(file.path,)), lint_rules, Policy())


def shown(current: Current) -> str | None:
    return current.version and current.version.catalog.profiles[0].display_name


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"jhext_profiles_{name}", labels) or 0


async def test_change_is_visible_to_whoever_asks_next(watch: Watch, file: File) -> None:
    for text in ("One", "Two", "Six", "One"):
        file.shows(text)
        assert shown(await watch.current()) == text


async def test_what_did_not_change_stays_the_same_object(watch: Watch, file: File) -> None:
    first = await watch.current()
    file.shows("One")
    assert (await watch.current()).version is first.version


async def test_d04_faulty_version_leaves_the_last_faultless_one(watch: Watch, file: File) -> None:
    """D-04: it never shows a part of what was read."""
    await watch.current()
    before = metric("reloads_total", outcome="faulty")
    file.is_faulty()
    current = await watch.current()
    assert shown(current) == "One"
    assert [found.line for found in current.problems] == [1]
    assert metric("last_reload_successful") == 0
    assert (await watch.current()).problems
    assert metric("reloads_total", outcome="faulty") == before + 1, "it is read once"
    file.shows("Two")
    assert await watch.current() == Current((await watch.current()).version, ())
    assert metric("last_reload_successful") == 1


async def test_no_version_without_a_faultless_one(watch: Watch, file: File) -> None:
    for change in (file.is_faulty, file.vanishes):
        change()
        current = await watch.current()
        assert current.version is None
        assert current.problems
    file.shows("Two")
    assert shown(await watch.current()) == "Two"


async def test_messages_once_each(watch: Watch, file: File) -> None:
    async def messages() -> list[tuple[int, str]]:
        await watch.current()
        return list(watch.messages())

    assert await messages() == []
    file.is_faulty()
    (first, what), (second, finding) = await messages()
    assert (first, second) == (logging.ERROR, logging.ERROR)
    assert what == "The profiles changed and are faulty"
    assert finding.startswith(f"error: {file.path}:1: profile 'A': alow_all: ")
    assert await messages() == []
    file.shows("Two")
    ((level, text),) = await messages()
    assert level == logging.INFO
    assert text.startswith("The profiles changed; their version is ")


async def test_d04_what_nobody_thought_of_leaves_the_last_version_too(
    watch: Watch, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watch.current()
    file.shows("Two")
    with monkeypatch.context() as patch:
        patch.setattr(module, "load", lambda *_: 1 / 0)
        for _ in range(2):
            current = await watch.current()
            assert shown(current) == "One"
            (problem,) = current.problems
            assert problem.message == "reading the profiles failed: ZeroDivisionError"
    ((level, text),) = watch.messages()
    assert level == logging.ERROR
    assert text.endswith("ZeroDivisionError: division by zero\n")
    assert metric("last_reload_successful") == 0
    file.shows("One")
    assert (await watch.current()).problems == ()
    assert metric("last_reload_successful") == 1


async def test_first_faults_are_critical(watch: Watch, file: File) -> None:
    file.is_faulty()
    await watch.current()
    assert [level for level, _ in watch.messages()] == [logging.CRITICAL]


async def test_other_sections_of_the_settings_wait(tmp_path: Path, lint_rules: LintRules) -> None:
    config_map = ConfigMap(tmp_path / "mounted")
    config_map.write({"jhext.yaml": GOOD % "One"})
    watch = Watch(Sources(settings_file=config_map.path("jhext.yaml")), lint_rules, Policy())
    await watch.current()
    config_map.write({"jhext.yaml": f"{GOOD % 'Two'}\nhub: {{admin_bypass: true}}"})
    assert shown(await watch.current()) == "Two"
    waits = (logging.WARNING, "What changed in the sections hub waits for a restart")
    assert waits in list(watch.messages())
    config_map.write({"jhext.yaml": "hub: {admin_bypass: true}"})
    (problem,) = (await watch.current()).problems
    assert problem.message == "must be a list of profiles"


async def test_config_map(tmp_path: Path, lint_rules: LintRules) -> None:
    config_map = ConfigMap(tmp_path / "mounted")
    config_map.write({"a.yaml": GOOD % "One"})
    watch = Watch(Sources(profile_files=(str(config_map.folder),)), lint_rules, Policy())
    assert shown(await watch.current()) == "One"
    config_map.write({"b.yaml": GOOD % "Two"})
    assert shown(await watch.current()) == "Two"
    config_map.write({"b.yaml": BAD})
    assert shown(await watch.current()) == "Two"


# In a thread of its own


class SlowDisk:
    """Does not give what was read until it is told to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.answers = threading.Event()
        self.asked = threading.Event()
        self.readings = 0
        load = module.load

        def slowly(*args: Any) -> Any:
            self.readings += 1
            version = load(*args)
            self.asked.set()
            self.answers.wait()
            return version

        patch.setattr(module, "load", slowly)


@pytest.fixture
async def disk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlowDisk]:
    disk = SlowDisk(monkeypatch)
    yield disk
    disk.answers.set()


async def until(event: threading.Event) -> None:
    while not event.is_set():  # noqa: ASYNC110 - a thread sets it
        await asyncio.sleep(0)


async def mended(watch: Watch) -> Current:
    while (current := await watch.current()).problems:  # noqa: ASYNC110 - a thread mends it
        await asyncio.sleep(0.001)
    return current


async def test_the_loop_goes_on_and_many_look_together(watch: Watch, disk: SlowDisk) -> None:
    first = asyncio.ensure_future(watch.current())
    await until(disk.asked)
    others = [asyncio.ensure_future(watch.current()) for _ in range(20)]
    await asyncio.sleep(0)
    assert not first.done()
    disk.answers.set()
    versions = {id(current.version) for current in await asyncio.gather(first, *others)}
    assert len(versions) == disk.readings == 1


async def test_whoever_asks_gets_what_was_there_after_they_asked(
    watch: Watch, disk: SlowDisk, file: File
) -> None:
    disk.answers.set()
    await watch.current()
    file.shows("Two")
    disk.answers.clear()
    disk.asked.clear()
    slow = asyncio.ensure_future(watch.current())
    await until(disk.asked)
    await asyncio.sleep(0)
    late = asyncio.ensure_future(watch.current())
    await asyncio.sleep(0)
    file.shows("Six")
    disk.answers.set()
    await slow
    assert shown(await late) == "Six"


async def test_nobody_waits_for_a_disk_that_does_not_answer(
    watch: Watch, disk: SlowDisk, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEADLINE", 0.01)
    late = metric("reloads_total", outcome="late")
    current = await watch.current()
    assert current.version is None
    assert "could not be read in" in current.problems[0].message

    disk.answers.set()
    monkeypatch.setattr(module, "DEADLINE", 60)
    await mended(watch)
    disk.answers.clear()
    disk.asked.clear()
    file.shows("Two")
    monkeypatch.setattr(module, "DEADLINE", 0.01)
    for _ in range(3):
        current = await watch.current()
        assert shown(current) == "One"
        assert current.problems
        monkeypatch.setattr(module, "DEADLINE", 600)  # more than the test may take
    assert metric("last_reload_successful") == 0
    assert metric("reloads_total", outcome="late") == late + 2
    disk.answers.set()
    assert shown(await mended(watch)) == "Two"
    assert metric("last_reload_successful") == 1


# By a spawner


async def test_reload_policies_of_a_spawner(make_spawner: MakeSpawner, file: File) -> None:
    keep = make_spawner(profile_files=[file.path])
    closed = make_spawner(profile_files=[file.path], reload_policy="fail_closed")
    for spawner in (keep, closed):
        await spawner.load_user_options()
    file.is_faulty()
    await keep.load_user_options()
    assert keep.get_state()["jhext"]["profile"] == "a"
    for ask in (closed.load_user_options, closed.get_options_form):
        with pytest.raises(SpawnRefused) as refused:
            await ask()
        assert refused.value.status_code == 503
        assert "alow_all" not in str(refused.value)
    file.shows("Two")
    await closed.load_user_options()
    assert "Two" in await closed.get_options_form()


async def test_faulty_at_first_is_503_until_it_is_mended(
    make_spawner: MakeSpawner, file: File, caplog: pytest.LogCaptureFixture
) -> None:
    file.is_faulty()
    spawner = make_spawner(profile_files=[file.path])
    for _ in range(2):
        with pytest.raises(SpawnRefused) as refused:
            await spawner.load_user_options()
        assert refused.value.status_code == 503
    assert [entry.levelname for entry in caplog.records].count("CRITICAL") == 1
    file.shows("Two")
    await spawner.load_user_options()


async def test_files_beside_lists_callables_and_settings(
    make_spawner: MakeSpawner, file: File
) -> None:
    listed = [{"display_name": "Listed", "allow_all": True}]

    async def form(profile_list: Any) -> str:
        text: str = await make_spawner(profile_list, profile_files=[file.path]).get_options_form()
        return text

    for profile_list in (listed, {"x": listed[0]}, lambda spawner: listed):
        page = await form(profile_list)
        assert page.index("Listed") < page.index("One")


async def test_mapping_file_alone_starts_nothing(make_spawner: MakeSpawner) -> None:
    """It is a source of rights: without profiles, nobody has any."""
    spawner = make_spawner(profile_mapping_files=[str(SEED1)], default_access="allow")
    with pytest.raises(SpawnRefused) as refused:
        await spawner.load_user_options()
    assert refused.value.status_code == 403
