"""The registry of ids on real databases."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from socket import create_server

import pytest

from jhext.identity.allocate import Allocated, Kind, Ranges, Registry
from jhext.identity.errors import IdentityUnavailable
from jhext.identity.source import Workers

RANGES = Ranges(users=(5000, 5999), groups=(7000, 7999))
Make = Callable[..., Registry]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ids.sqlite"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def make(url: str, workers: Workers) -> AsyncIterator[Make]:
    """Open the registry as one hub does; called again, as another hub or after a restart."""
    registries: list[Registry] = []

    def make(ranges: Ranges = RANGES) -> Registry:
        registries.append(Registry(url, ranges, workers))
        return registries[-1]

    yield make
    for registry in registries:
        await registry.close()


async def test_a_number_is_given_once_and_stays(make: Make) -> None:
    registry = make()
    ann, bob = await registry.uid("ann"), await registry.uid("bob")
    assert (ann, bob) == (5000, 5001)
    again = make()
    assert [await again.uid("bob"), await again.uid("ann")] == [bob, ann]
    assert await again.gids(["lab", "hpc", "lab"]) == {"hpc": 7000, "lab": 7001}
    assert await again.gids(["lab", "new"]) == {"lab": 7001, "new": 7002}
    assert await again.gids([]) == {}


async def test_fifty_first_logins_at_two_hubs_get_fifty_numbers(make: Make) -> None:
    hubs = [make(), make()]
    names = [f"user{number}" for number in range(50)]
    numbers = await asyncio.gather(*(hubs[n % 2].uid(name) for n, name in enumerate(names)))
    assert sorted(numbers) == list(range(5000, 5050))
    elsewhere = await asyncio.gather(*(hubs[1 - n % 2].uid(name) for n, name in enumerate(names)))
    assert elsewhere == numbers


async def test_fifty_first_logins_of_one_person_get_one_number(make: Make) -> None:
    hubs = [make(), make()]
    numbers = await asyncio.gather(*(hubs[n % 2].uid("ann", "github:1") for n in range(50)))
    assert set(numbers) == {5000}
    assert await hubs[0].uid("bob") == 5001


async def test_a_renamed_person_keeps_the_number_and_the_name_gets_another(make: Make) -> None:
    registry = make()
    ann = await registry.uid("ann", "github:1")
    assert await registry.uid("ann-lee", "github:1") == ann
    assert await registry.uid("ann", "github:2") != ann
    assert await registry.uid("ann") != ann
    assert {(entry.name, entry.number) for entry in await registry.entries()} >= {("ann-lee", ann)}


async def test_who_was_known_by_name_keeps_the_number_with_the_id_that_is_known_later(
    make: Make,
) -> None:
    registry = make()
    ann = await registry.uid("ann")
    assert await registry.uid("ann", "github:1") == ann
    assert await registry.uid("ann-lee", "github:1") == ann
    assert await registry.uid("ann", "github:2") != ann


async def test_numbers_that_were_taken_up_or_reserved_are_not_given(make: Make) -> None:
    registry = make()
    await registry.uid("first")
    taken = [
        Allocated(Kind.USER, 5001, "github:7", "moved"),
        Allocated(Kind.USER, 5002, "reserved:5002", ""),
        Allocated(Kind.USER, 1234, "name:old", "old"),
        Allocated(Kind.GROUP, 7000, "name:lab", "lab"),
    ]
    assert await registry.add(taken) == []
    assert await registry.add(taken) == []
    assert await registry.uid("next") == 5003
    assert await registry.uid("moved", "github:7") == 5001
    assert await registry.uid("old") == 1234
    assert await registry.gids(["lab", "hpc"]) == {"hpc": 7001, "lab": 7000}


@pytest.mark.parametrize(
    "entry",
    [
        Allocated(Kind.USER, 5000, "github:7", "other"),
        Allocated(Kind.USER, 5009, "name:ann", "ann"),
    ],
    ids=["its number is somebody's", "it has another number"],
)
async def test_what_stands_against_an_entry_keeps_all_out(make: Make, entry: Allocated) -> None:
    registry = make()
    await registry.uid("ann")
    before = await registry.entries()
    fine = Allocated(Kind.USER, 5500, "name:fine", "fine")
    assert await registry.add([fine, entry]) == before
    assert await registry.entries() == before


async def test_an_exported_registry_can_be_moved(
    make: Make, workers: Workers, tmp_path: Path
) -> None:
    registry = make()
    ann = await registry.uid("ann", "github:1")
    lab = await registry.gids(["lab"])
    moved = Registry(f"sqlite:///{tmp_path}/moved.sqlite", RANGES, workers)
    assert await moved.add(await registry.entries()) == []
    assert await moved.uid("ann-lee", "github:1") == ann
    assert await moved.gids(["lab"]) == lab
    assert await moved.uid("bob") == ann + 1
    await moved.close()


async def test_groups_are_told_apart_by_whose_the_number_is(make: Make) -> None:
    registry = make()
    renamed = Allocated(Kind.GROUP, 7500, "name:lab", "hpc")
    assert await registry.add([renamed]) == []
    assert await registry.gids(["hpc", "lab"]) == {"hpc": 7000, "lab": 7500}


async def test_a_database_that_ignores_case_gives_nobody_anothers_number(
    workers: Workers, tmp_path: Path
) -> None:
    file = tmp_path / "nocase.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(
            "CREATE TABLE jhext_allocated_ids (kind VARCHAR, number BIGINT, holder VARCHAR"
            " COLLATE NOCASE, name VARCHAR, since DATETIME, UNIQUE (kind, holder))"
        )
    registry = Registry(f"sqlite:///{file}", RANGES, workers)
    assert await registry.uid("ann", "openid:aB") == 5000
    with pytest.raises(IdentityUnavailable):
        await registry.uid("bob", "openid:Ab")
    await registry.close()


async def test_all_numbers_given_is_told_to_the_operator(make: Make) -> None:
    registry = make(Ranges(users=(5000, 5001), groups=(7000, 7000)))
    await registry.uid("ann")
    await registry.uid("bob")
    with pytest.raises(IdentityUnavailable, match="all numbers of users from 5000 to 5001") as full:
        await registry.uid("eve")
    assert not full.value.transient
    assert await registry.uid("ann") == 5000


async def test_a_range_may_be_moved_and_all_keep_theirs(make: Make) -> None:
    assert await make().uid("ann") == 5000
    higher = make(Ranges(users=(6000, 6001), groups=(7000, 7999)))
    assert [await higher.uid(name) for name in ("bob", "ann", "cat")] == [6000, 5000, 6001]
    lower = make(Ranges(users=(4999, 5001), groups=(7000, 7999)))
    assert [await lower.uid(name) for name in ("dan", "eve")] == [4999, 5001]
    with pytest.raises(IdentityUnavailable, match="from 4999 to 5001 are given"):
        await lower.uid("fay")
    assert await lower.uid("cat") == 6001


async def test_d31_a_database_that_hangs_does_not_hold_the_loop(workers: Workers) -> None:
    with closing(create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql+psycopg://hub:x@127.0.0.1:{port}/x"
        registry = Registry(url, RANGES, workers, timeout=2)
        waiting = asyncio.create_task(registry.uid("ann"))
        turns = 0
        while not (await asyncio.wait({waiting}, timeout=0.05))[0]:
            turns += 1
        with pytest.raises(IdentityUnavailable, match="registry"):
            await waiting
    assert turns > 3
    await registry.close()
