"""The chain: in time, once, and never something else instead."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from jhext.identity.errors import IdentityRefused, IdentityUnavailable, Reason
from jhext.identity.ledger import Holder, Ledger, UniqueUid
from jhext.identity.precedence import Rules
from jhext.identity.resolve import Limits, Resolver
from jhext.identity.source import Answer, Person, Source, Workers

IDS = {"uid": 1001, "gid": 2001}
ANN = Person("ann")
DOWN = IdentityUnavailable("campus: down")


class Scripted(Source):
    """Answers what it is told to, and counts."""

    def __init__(self, *answers: Answer | Exception | None, name: str = "campus") -> None:
        super().__init__(name)
        self.answers = list(answers)
        self.asked: list[str] = []
        self.closed = False

    async def lookup(self, person: Person) -> Answer | None:
        self.asked.append(person.name)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True


class Slow(Source):
    """Answers when it is let go."""

    def __init__(self) -> None:
        super().__init__("slow")
        self.let_go = asyncio.Event()
        self.under_way = 0
        self.most = 0

    async def lookup(self, person: Person) -> Answer | None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.let_go.wait()
        finally:
            self.under_way -= 1
        return IDS


Make = Callable[..., Resolver]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[Resolver] = []

    def make(*sources: Source, limits: Limits | None = None, **more: Any) -> Resolver:
        workers = more.pop("workers", None) or Workers(2)
        resolver = Resolver(sources, Rules(), limits or Limits(), workers=workers, **more)
        made.append(resolver)
        return resolver

    yield make
    for resolver in made:
        await resolver.close()


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_an_identity_is_asked_for_once(make: Make) -> None:
    source = Scripted(IDS)
    resolver = make(source)
    first = await resolver.resolve(ANN)
    assert await resolver.resolve(ANN) is first
    assert source.asked == ["ann"]
    resolver.forget(ANN)
    await resolver.resolve(ANN)
    assert source.asked == ["ann", "ann"]


async def test_d31_twenty_at_once_wait_for_one_delay(make: Make) -> None:
    source = Slow()
    resolver = make(source)
    waiting = [asyncio.create_task(resolver.resolve(Person(f"p{i}"))) for i in range(20)]
    await turns()
    assert source.under_way == 20
    source.let_go.set()
    await asyncio.gather(*waiting)


async def test_no_more_are_asked_about_than_may_be(make: Make) -> None:
    source = Slow()
    resolver = make(source, limits=Limits(concurrency=3))
    waiting = [asyncio.create_task(resolver.resolve(Person(f"p{i}"))) for i in range(10)]
    await turns()
    source.let_go.set()
    await asyncio.gather(*waiting)
    assert source.most == 3


async def test_the_deadline_includes_waiting_for_a_turn(make: Make) -> None:
    resolver = make(Slow(), limits=Limits(concurrency=1, deadline=0.05))
    outcomes = await asyncio.gather(
        *(resolver.resolve(Person(name)) for name in "ab"), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [IdentityUnavailable] * 2
    assert "within 0.05 s" in str(outcomes[0])


async def test_d31_a_source_that_blocks_its_thread_does_not_block_the_loop(make: Make) -> None:
    hold = threading.Event()
    workers = Workers(1)

    class Blocking(Source):
        async def lookup(self, person: Person) -> Answer | None:
            await workers.run(hold.wait)
            return IDS

    resolver = make(Blocking("blocking"), workers=workers)
    waiting = asyncio.create_task(resolver.resolve(ANN))
    await turns()
    assert not waiting.done()
    hold.set()
    assert (await waiting).uid == 1001


async def test_sources_are_asked_at_the_same_time_and_decide_in_order(make: Make) -> None:
    slow, quick = Slow(), Scripted({"uid": 1002, "home": "/b"})
    waiting = asyncio.create_task(make(slow, quick).resolve(ANN))
    await turns()
    assert quick.asked == ["ann"]
    slow.let_go.set()
    identity = await waiting
    assert (identity.uid, identity.home) == (1001, "/b")


async def test_a_source_that_stumbles_is_asked_once_more(make: Make) -> None:
    source = Scripted(DOWN, IDS)
    assert (await make(source).resolve(ANN)).uid == 1001
    assert len(source.asked) == 2


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (DOWN, 2),
        (IdentityUnavailable("campus: answered 401", transient=False), 1),
        (RuntimeError("password=hunter2"), 1),
    ],
)
async def test_no_answer_is_no_identity(error: Exception, asked: int, make: Make) -> None:
    source, other = Scripted(error), Scripted(IDS, name="other")
    with pytest.raises(IdentityUnavailable, match="campus") as unavailable:
        await make(source, other).resolve(ANN)
    assert unavailable.value.status_code == 503
    assert "hunter2" not in str(unavailable.value)
    assert len(source.asked) == asked


async def test_a_refusal_of_a_source_is_not_asked_about_again(make: Make) -> None:
    source = Scripted(IdentityRefused(Reason.INVALID, "there twice"))
    with pytest.raises(IdentityRefused) as refused:
        await make(source).resolve(ANN)
    assert refused.value.status_code == 403
    assert len(source.asked) == 1


async def test_d25_a_person_whom_no_source_knows_is_refused(make: Make) -> None:
    with pytest.raises(IdentityRefused, match="no source knows 'ann'"):
        await make(Scripted(None)).resolve(ANN)


async def test_after_an_outage_the_next_try_works(make: Make) -> None:
    resolver = make(Scripted(DOWN, DOWN, IDS))
    with pytest.raises(IdentityUnavailable):
        await resolver.resolve(ANN)
    assert (await resolver.resolve(ANN)).uid == 1001


async def test_a_kept_identity_stands_in_only_when_that_is_wanted(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    for stale, stands_in in ((0, False), (60, True)):
        resolver = make(Scripted(IDS, DOWN), limits=Limits(ttl=0, serve_stale=stale))
        first = await resolver.resolve(ANN)
        if stands_in:
            assert await resolver.resolve(ANN) is first
            assert "campus: down" in caplog.text
        else:
            with pytest.raises(IdentityUnavailable):
                await resolver.resolve(ANN)


async def test_a_refusal_ends_what_was_kept(make: Make) -> None:
    resolver = make(Scripted(IDS, None, DOWN), limits=Limits(ttl=0, serve_stale=60))
    await resolver.resolve(ANN)
    with pytest.raises(IdentityRefused):
        await resolver.resolve(ANN)
    with pytest.raises(IdentityUnavailable):
        await resolver.resolve(ANN)


async def test_d11_who_has_other_groups_is_asked_about_anew(make: Make) -> None:
    source = Scripted(IDS)
    resolver = make(source)
    for groups, asked in (({"gpu", "lab"}, 1), ({"lab", "gpu"}, 1), ({"lab"}, 2), ({"lab"}, 2)):
        await resolver.resolve(Person("ann", groups=frozenset(groups)))
        assert len(source.asked) == asked


async def test_a_changed_auth_state_is_asked_about_anew(make: Make) -> None:
    source = Scripted(IDS)
    source.reads_auth_state = True
    resolver = make(source)
    for state in ({"token": "a"}, {"token": "a"}, {"token": "b"}, None):
        await resolver.resolve(Person("ann", state))
    assert len(source.asked) == 3


async def test_d24_no_token_is_in_what_is_kept_or_shown(make: Make) -> None:
    person = Person("ann", {"access_token": "hunter2"})
    source = Scripted(IDS)
    source.reads_auth_state = True
    resolver = make(source)
    await resolver.resolve(person)
    assert "hunter2" not in repr(vars(resolver._cache)) + repr(person)


async def test_what_was_passed_over_is_logged(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("the.hub")
    await make(Scripted({**IDS, "groups": {"a:b": 5}}), log=log).resolve(ANN)
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("the.hub", "WARNING")
    ]
    assert "group 'a:b' left out" in caplog.text


async def test_closing_closes_the_sources(make: Make) -> None:
    source = Scripted(IDS)
    await make(source).close()
    assert source.closed


class TestLedger:
    """Whose a uid is."""

    @pytest.fixture
    def workers(self) -> Workers:
        return Workers(2)

    @pytest.fixture
    def ledger(self, tmp_path: Path, workers: Workers) -> Ledger:
        return Ledger(f"sqlite:///{tmp_path}/uids.sqlite", workers)

    async def test_a_uid_of_somebody_else_is_refused(
        self, make: Make, ledger: Ledger, workers: Workers
    ) -> None:
        resolver = make(Scripted(IDS), ledger=ledger, workers=workers)
        await resolver.resolve(ANN)
        with pytest.raises(IdentityRefused, match="jhext ids forget 1001") as refused:
            await resolver.resolve(Person("bob"))
        assert refused.value.reason is Reason.TAKEN

    async def test_the_same_person_under_a_new_name_keeps_the_uid(
        self, make: Make, ledger: Ledger, workers: Workers
    ) -> None:
        resolver = make(Scripted({**IDS, "subject": "8f14"}), ledger=ledger, workers=workers)
        await resolver.resolve(ANN)
        assert (await resolver.resolve(Person("ann-lee"))).uid == 1001
        assert await ledger.forget(1001) == Holder("campus", "8f14", "ann-lee")

    async def test_a_warning_is_only_that(
        self, make: Make, ledger: Ledger, workers: Workers, caplog: pytest.LogCaptureFixture
    ) -> None:
        resolver = make(Scripted(IDS), ledger=ledger, workers=workers, unique_uid=UniqueUid.WARN)
        await resolver.resolve(ANN)
        assert (await resolver.resolve(Person("bob"))).uid == 1001
        assert "belongs to" in caplog.text

    @pytest.mark.parametrize("unique_uid", [UniqueUid.REFUSE, UniqueUid.WARN])
    async def test_a_ledger_that_does_not_answer(
        self, make: Make, tmp_path: Path, workers: Workers, unique_uid: UniqueUid
    ) -> None:
        ledger = Ledger(f"sqlite:///{tmp_path}/missing/uids.sqlite", workers)
        resolver = make(Scripted(IDS), ledger=ledger, workers=workers, unique_uid=unique_uid)
        if unique_uid is UniqueUid.WARN:
            assert (await resolver.resolve(ANN)).uid == 1001
        else:
            with pytest.raises(IdentityUnavailable, match="ledger"):
                await resolver.resolve(ANN)
