"""Who is told of a stop that is near, and when."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.culler.clock import Clock
from jhext.culler.judging import Judge
from jhext.culler.policy import Rules
from jhext.culler.revocation import Revocations
from jhext.culler.settings import CullerSettings
from jhext.culler.usage import Prometheus, Usage
from jhext.culler.verdict import Server, Why
from tests.unit.culler.conftest import Culler
from tests.unit.culler.fake_hub import NOW, FakeHub, running, stamp
from tests.unit.culler.fake_prometheus import FakePrometheus, vector

MINUTE, HOUR = 60.0, 3600.0


def judge_of(revoked: dict[str, str] | None = None, **written: Any) -> Judge:
    rules, clock, revocations = Rules(CullerSettings(**written)), Clock(), Revocations()
    clock.now = lambda monotonic: NOW  # type: ignore[method-assign]
    if revoked:
        revocations.take(revoked, 0.0)
    return Judge(rules, clock, revocations, Usage(None, rules))


def server(idle: float, age: float = 9 * HOUR, **more: Any) -> Server:
    return Server("bob", started=NOW - age, last_activity=NOW - idle, **more)


@pytest.mark.parametrize(
    ("written", "about", "why", "left"),
    [
        ({"warn_before": "15m"}, server(44 * MINUTE), None, 0),
        ({"warn_before": "15m"}, server(46 * MINUTE), "idle", 14 * MINUTE),
        ({"warn_before": 0}, server(59 * MINUTE), None, 0),
        ({"warn_before": "2h"}, server(0), "idle", HOUR),
        ({"warn_before": "15m", "max_age": "9h10m"}, server(0), "age", 10 * MINUTE),
        ({"warn_before": "15m"}, server(61 * MINUTE), None, 0),
        ({"warn_before": "15m", "timeout": "never"}, server(9 * HOUR), None, 0),
        (
            {"warn_before": "15m", "extend_to": "99h"},
            server(2 * HOUR, extended_until=NOW + 9 * MINUTE),
            "extended",
            9 * MINUTE,
        ),
        # It is over its time, and stopped when the window opens, at 12:10.
        ({"warn_before": "15m", "only": "12:10-13:00"}, server(2 * HOUR), "window", 10 * MINUTE),
        ({"warn_before": "15m", "only": "12:30-13:00"}, server(50 * MINUTE), None, 0),
        ({"warn_before": "15m"}, server(46 * MINUTE, pending="stop"), None, 0),
        (
            {"warn_before": "15m", "users": {"bob": {"warn_before": 0}}},
            server(59 * MINUTE),
            None,
            0,
        ),
    ],
)
def test_notice(written: dict[str, Any], about: Server, why: str | None, left: float) -> None:
    judge = judge_of(**written)
    notice = judge.notice(about, judge.judge(about))
    if why is None:
        assert notice is None
    else:
        assert notice
        assert (notice["why"], round(notice["at"] - NOW)) == (why, left)


def test_whoever_is_busy_is_told_of_the_age() -> None:
    prometheus = {"url": "http://127.0.0.1:1"}
    judge = judge_of(warn_before="15m", max_age="9h5m", busy_if="up", prometheus=prometheus)
    about = server(2 * HOUR)
    notice = judge.notice(about, judge.rules.judge_busy(about, NOW))
    assert notice == {"at": NOW + 5 * MINUTE, "why": "age", "rule": "culler.max_age is 9h5m"}


def test_a_right_that_has_ended_is_told_before_other_ends() -> None:
    judge = judge_of({"bob/": "blocked"}, revoked_after="200d", warn_before="300d", never=True)
    notice = judge.notice(server(0), judge.judge(server(0)))
    assert notice
    assert notice["why"] == "revoked"
    judge = judge_of({"bob/": "blocked"}, revoked_after="300d", warn_before="300d")
    assert judge.judge(server(0)).why is Why.WITHIN_LIMITS


def test_servers_of_the_longest_warning_are_looked_at() -> None:
    """The hub is asked for those that are idle for less than the timeout, too."""
    rules = Rules(CullerSettings(timeout="1h", max_age="2h", groups={"a": {"warn_before": "50m"}}))
    assert rules.looked_at == (10 * MINUTE, 70 * MINUTE)
    assert Rules(CullerSettings(timeout="1h", warn_before="9h")).looked_at[0] == 0


async def test_the_hub_is_told_what_changes(caplog: Any) -> None:
    caplog.set_level("INFO")
    culler = Culler(timeout="1h", warn_before="15m")
    users = {"bob": {"": running(50 * MINUTE)}, "eve": {"": running(9)}}
    async with FakeHub(users, notices=[]).serving() as hub:
        assert hub.notices is not None
        await culler.look(hub, act=False)
        assert hub.notices == []
        await culler.look(hub)
        await culler.look(hub)
        assert [list(told) for told in hub.notices] == [["bob/"]]
        assert caplog.text.count("cull-notice") == 1

        # Of whom nothing is seen in a pass, the notice stays.
        hub.fault = lambda method, path, count: None
        users["bob"][""]["started"] = "yesterday"
        users["eve"][""]["last_activity"] = stamp(NOW - 55 * MINUTE)
        await culler.look(hub)
        assert sorted(hub.notices[-1]) == ["bob/", "eve/"]

        # Whoever is back loses it; a hub that did not listen is told again.
        users["bob"][""] = running(9)
        hub.fault = lambda method, path, count: 500 if method == "PUT" else None
        await culler.look(hub)
        assert "Nobody is told" in caplog.text
        hub.fault = lambda method, path, count: None
        await culler.look(hub)
        assert sorted(hub.notices[-1]) == ["eve/"]
        assert hub.stopped == []


async def test_a_lost_right_is_told_once(caplog: Any) -> None:
    """Its end is reckoned from the hub's clock, which is read anew in each pass."""
    caplog.set_level("INFO")
    culler = Culler(revoked_after="10m", warn_before="15m")
    users = {"bob": {"": running(9)}}
    async with FakeHub(users, notices=[], revoked={"bob/": "x"}).serving() as hub:
        assert hub.notices is not None
        assert hub.revoked is not None
        for hub.now, told in ((NOW, 1), (NOW + 1, 1), (NOW + 9, 2)):
            await culler.look(hub)
            assert len(hub.notices) == caplog.text.count("cull-notice") == told
        hub.revoked["bob/"] = "y"
        await culler.look(hub)
        assert hub.notices[-1]["bob/"]["rule"] == "the right to it has ended: y"


@pytest.mark.parametrize("answer", [vector("1"), 500])
async def test_whoever_is_busy_is_told_of_a_lost_right(answer: Any) -> None:
    """It looks idle, which Prometheus contradicts; the right ends all the same."""
    async with FakePrometheus(answer).serving() as fake:
        rules = {"busy_if": "busy{user=$user}", "prometheus": {"url": fake.url}}
        culler = Culler(revoked_after="10m", warn_before="15m", **rules)
        assert culler.rules.settings.prometheus
        users = {"bob": {"": running(2 * HOUR)}}
        async with (
            FakeHub(users, notices=[], revoked={"bob/": "x"}).serving() as hub,
            Prometheus(culler.rules.settings.prometheus) as culler.prometheus,
        ):
            seen = await culler.look(hub)
            assert fake.asked
            assert seen.notices["bob/"]["why"] == "revoked"
            assert hub.stopped == []


async def test_a_stop_that_is_put_off_in_the_middle_of_a_pass() -> None:
    """The notice comes too late and is taken away by the next pass; nobody is stopped."""
    culler = Culler(timeout="1h", warn_before="15m", extend_to="99d")
    users = {"bob": {"": running(50 * MINUTE, profile="lab")}}
    async with FakeHub(users, notices=[]).serving() as hub:
        assert hub.notices is not None

        def put_off(method: str, path: str, count: int) -> None:
            if method == "PUT":
                users["bob"][""]["state"]["jhext"]["extended_until"] = NOW + 2 * HOUR

        hub.fault = put_off
        await culler.look(hub)
        await culler.look(hub)
        await culler.look(hub)
        assert [list(told) for told in hub.notices] == [["bob/"], []]
        assert hub.stopped == []


async def test_a_hub_without_the_handler_is_not_troubled() -> None:
    async with FakeHub({"bob": {"": running(50 * MINUTE)}}).serving() as hub:
        await Culler(timeout="1h", warn_before="15m").look(hub)
        assert hub.stopped == []


async def test_nobody_is_told_anything_by_a_clock_that_jumped() -> None:
    culler = Culler(timeout="1h", warn_before="15m")
    async with FakeHub({"bob": {"": running(9)}}, notices=[]).serving() as hub:
        await culler.look(hub)
        hub.now += 50 * MINUTE
        await culler.look(hub)
        assert hub.notices in ([], [{}])


async def test_the_hub_is_told_how_early_people_are_told() -> None:
    """It alone knows the limits that were granted, and which servers are due soon by those."""
    async with FakeHub({"bob": {"": running()}}, tells_idle=True).serving() as hub:
        await Culler(timeout="1h", groups={"staff": {"warn_before": "5m"}}).look(hub)
        (asked,) = [path for _, path in hub.asked if path.startswith("/jhext/idle?")]
        assert asked == "/jhext/idle?timeout=3300.0&max_age=inf&warn_before=300.0"
