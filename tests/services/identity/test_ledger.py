"""The ledger on real databases."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from socket import create_server

import psycopg
import pytest

from jhext.identity.errors import IdentityUnavailable
from jhext.identity.ledger import Holder, Ledger
from jhext.identity.source import Workers

ANN = Holder("campus", "8f14", "ann")
BOB = Holder("campus", "77aa", "bob")
Make = Callable[[], Ledger]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/uids.sqlite"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def make(url: str, workers: Workers) -> AsyncIterator[Make]:
    """Open the ledger as one hub does; called again, as another hub does."""
    ledgers: list[Ledger] = []

    def make() -> Ledger:
        ledgers.append(Ledger(url, workers))
        return ledgers[-1]

    yield make
    for ledger in ledgers:
        await ledger.close()


async def test_a_uid_is_the_first_ones_until_it_is_released(make: Make) -> None:
    ledger = make()
    assert await ledger.claim(1001, ANN) is None
    assert await ledger.claim(1001, ANN) is None
    assert await ledger.claim(1001, BOB) == ANN
    assert await ledger.forget(1001) == ANN
    assert await ledger.forget(1001) is None
    assert await ledger.claim(1001, BOB) is None
    assert await ledger.claim(1001, ANN) == BOB


async def test_hubs_share_a_ledger_and_restarts_keep_it(make: Make) -> None:
    await make().claim(1001, ANN)
    assert await make().claim(1001, BOB) == ANN


@pytest.mark.parametrize(
    ("known", "claimant", "same"),
    [
        (ANN, Holder("campus", "8f14", "ann-lee"), True),
        (ANN, Holder("campus", "other", "ann"), False),
        (ANN, Holder("campus", None, "ann"), False),
        (ANN, Holder("elsewhere", "8f14", "ann"), False),
        (Holder("campus", None, "ann"), Holder("campus", None, "ann"), True),
        (Holder("campus", None, "ann"), Holder("campus", None, "anna"), False),
        (Holder("campus", None, "ann"), ANN, True),
        (Holder("campus", None, "ann"), Holder("campus", "8f14", "anna"), False),
    ],
)
async def test_who_is_the_same_person(
    known: Holder, claimant: Holder, same: bool, make: Make
) -> None:
    ledger = make()
    await ledger.claim(1001, known)
    assert await ledger.claim(1001, claimant) == (None if same else known)
    assert await ledger.forget(1001) == (claimant if same else known)


async def test_of_many_at_once_one_gets_the_uid(make: Make) -> None:
    people = [Holder("campus", str(number), f"p{number}") for number in range(20)]
    ledgers = [make(), make()]
    others = await asyncio.gather(
        *(ledgers[number % 2].claim(1001, person) for number, person in enumerate(people))
    )
    (winner,) = [person for person, other in zip(people, others, strict=True) if other is None]
    assert {other for other in others if other} == {winner}


async def test_the_largest_uid_and_odd_texts_are_kept_as_they_are(make: Make) -> None:
    odd = Holder("campus", "o'brien\"; DROP TABLE jhext_uids; --%s", "ann")
    ledger = make()
    await ledger.claim(2**32 - 2, odd)
    assert await ledger.claim(2**32 - 2, BOB) == odd


async def test_a_database_that_is_cut_off_is_no_answer_and_works_again(
    postgres: str, postgres_url: str, workers: Workers
) -> None:
    ledger = Ledger(postgres_url, workers)
    await ledger.claim(1001, ANN)
    name = postgres_url.rpartition("/")[2]
    async with await psycopg.AsyncConnection.connect(
        f"postgresql://{postgres}/postgres", autocommit=True
    ) as admin:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
    assert await ledger.claim(1001, BOB) == ANN
    await ledger.close()


async def test_a_password_is_not_in_what_is_said(postgres: str, workers: Workers) -> None:
    wrong = postgres.replace("local-only", "hunter2")
    ledger = Ledger(f"postgresql+psycopg://{wrong}/postgres", workers)
    with pytest.raises(IdentityUnavailable, match="ledger") as unavailable:
        await ledger.claim(1001, ANN)
    assert "hunter2" not in str(unavailable.value)
    await ledger.close()


@pytest.mark.parametrize(
    "url", ["hunter2", "nosuchdatabase://hub:hunter2@x/y", "postgresql+nodriver://hub:hunter2@x/y"]
)
def test_an_address_that_cannot_be_used_is_told_without_the_password(
    url: str, workers: Workers
) -> None:
    with pytest.raises(ValueError, match="ledger") as error:
        Ledger(url, workers)
    assert "hunter2" not in str(error.value)


async def test_d31_a_database_that_hangs_does_not_hold_the_loop(workers: Workers) -> None:
    with closing(create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        ledger = Ledger(f"postgresql+psycopg://hub:x@127.0.0.1:{port}/x", workers, timeout=2)
        waiting = asyncio.create_task(ledger.claim(1001, ANN))
        turns = 0
        while not (await asyncio.wait({waiting}, timeout=0.05))[0]:
            turns += 1
        with pytest.raises(IdentityUnavailable, match="ledger"):
            await waiting
    assert turns > 3
    await ledger.close()
