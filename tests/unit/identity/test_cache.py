"""Asking once."""

import asyncio
import gc

import pytest

from jhext.identity.cache import AskOnceCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Counts how often it is asked; answers when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        await self.answer.wait()
        if self.error is not None:
            raise self.error
        return number


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source() -> Source:
    source = Source()
    source.answer.set()
    return source


async def test_an_answer_is_kept_for_its_time_and_no_longer(clock: Clock, source: Source) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=10, clock=clock)
    assert await cache.get("ann", source) == 1
    clock.now = 9.9
    assert await cache.get("ann", source) == 1
    clock.now = 10
    assert await cache.get("ann", source) == 2


async def test_keys_do_not_share_answers(clock: Clock, source: Source) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=10, clock=clock)
    assert [await cache.get(key, source) for key in ("ann", "anna", "ann")] == [1, 2, 1]


async def test_there_is_one_look_up_in_flight_for_each_key(source: Source) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=0)
    source.answer.clear()
    waiting = [asyncio.create_task(cache.get("ann", source)) for _ in range(20)]
    await asyncio.sleep(0)
    source.answer.set()
    assert await asyncio.gather(*waiting) == [1] * 20
    assert await cache.get("ann", source) == 2


async def test_a_failure_reaches_all_who_wait_and_is_not_kept(source: Source) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=10)
    source.error = KeyError("down")
    failed = await asyncio.gather(
        *(cache.get("ann", source) for _ in range(3)), return_exceptions=True
    )
    assert [type(error) for error in failed] == [KeyError] * 3
    source.error = None
    assert await cache.get("ann", source) == 2


async def test_who_gives_up_waiting_does_not_end_the_look_up(source: Source) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=10)
    source.answer.clear()
    impatient, patient = (asyncio.create_task(cache.get("ann", source)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    source.answer.set()
    assert await patient == 1
    assert impatient.cancelled()


async def test_a_failure_that_nobody_waits_for_any_more_is_no_complaint(
    source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=10)
    source.answer.clear()
    source.error = KeyError("down")
    waiting = asyncio.create_task(cache.get("ann", source))
    await asyncio.sleep(0)
    waiting.cancel()
    source.answer.set()
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()
    assert not caplog.records


async def test_leftovers_are_there_for_their_time(clock: Clock, source: Source) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=10, stale=5, clock=clock)
    await cache.get("ann", source)
    clock.now = 14.9
    assert cache.leftover("ann") == 1
    clock.now = 15
    assert cache.leftover("ann") is None
    assert AskOnceCache(ttl=10, clock=clock).leftover("ann") is None


async def test_what_is_forgotten_is_asked_again(source: Source) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=10, stale=10)
    await cache.get("ann", source)
    cache.forget("ann")
    assert cache.leftover("ann") is None
    assert await cache.get("ann", source) == 2


async def test_what_is_forgotten_while_it_is_asked_is_not_kept(source: Source) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=10)
    source.answer.clear()
    waiting = asyncio.create_task(cache.get("ann", source))
    await asyncio.sleep(0)
    cache.forget("ann")
    source.answer.set()
    assert await waiting == 1
    assert await cache.get("ann", source) == 2


async def test_the_least_used_answer_makes_room(source: Source) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=10, size=2)
    for key in ("ann", "bob", "ann", "eve"):
        await cache.get(key, source)
    assert await cache.get("ann", source) == 1
    assert await cache.get("bob", source) == 4


async def test_closing_ends_what_is_under_way(source: Source) -> None:
    cache: AskOnceCache[int] = AskOnceCache(ttl=10)
    source.answer.clear()
    waiting = asyncio.create_task(cache.get("ann", source))
    await asyncio.sleep(0)
    cache.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
