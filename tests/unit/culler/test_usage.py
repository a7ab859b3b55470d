"""Verdicts after Prometheus was asked; whoever does not answer stops no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jhext.culler.policy import Rules
from jhext.culler.settings import CullerSettings, PrometheusSettings
from jhext.culler.usage import Prometheus, Usage
from jhext.culler.verdict import Server, Verdict, Why
from tests.unit.culler.conftest import Culler
from tests.unit.culler.fake_hub import NOW, FakeHub, running
from tests.unit.culler.fake_prometheus import FakePrometheus, vector

HOUR = 3600
BUSY, WASTES = "busy{pod=$pod,user=$user}", "wastes{pod=$pod}"


def rules(**more: Any) -> Rules:
    written = {"busy_if": BUSY, "wastes_if": WASTES, "wastes_after": "2h", **more}
    return Rules(CullerSettings(prometheus={"url": "http://127.0.0.1:1"}, **written))


def server(idle: float = 2 * HOUR, age: float = 9 * HOUR, **more: Any) -> Server:
    known = {"pod": "jupyter-bob", "started": NOW - age, "last_activity": NOW - idle}
    return Server("bob", **{**known, **more})


async def judged(
    judge: Rules, about: Server, answer: Any, **settings: Any
) -> tuple[Verdict, FakePrometheus, list[str]]:
    async with (
        FakePrometheus(answer).serving() as fake,
        Prometheus(PrometheusSettings(url=fake.url, **settings)) as prometheus,
    ):
        usage = Usage(prometheus, judge)
        return await usage.refine(about, judge.judge(about, NOW), NOW), fake, usage.faults


@pytest.mark.parametrize(
    ("about", "answer", "stop", "why"),
    [
        pytest.param(server(), vector("1"), False, Why.BUSY, id="busy"),
        pytest.param(server(), vector("0", "0.5"), False, Why.BUSY, id="one of two busy"),
        pytest.param(server(), vector("0"), True, Why.IDLE, id="not busy"),
        pytest.param(server(9), vector("1"), True, Why.WASTE, id="wastes"),
        pytest.param(server(9), vector("1", "0"), False, Why.WITHIN_LIMITS, id="uses one of two"),
        pytest.param(server(9), vector("0"), False, Why.WITHIN_LIMITS, id="does not waste"),
        pytest.param(server(9, HOUR), vector("1"), False, Why.WITHIN_LIMITS, id="too young"),
        pytest.param(server(pod=""), vector("0"), False, Why.UNKNOWN, id="no pod is known"),
    ],
)
async def test_verdict(about: Server, answer: Any, stop: bool, why: Why) -> None:
    verdict, _, _ = await judged(rules(), about, answer)
    assert (verdict.stop, verdict.why) == (stop, why)


FAULTS = {
    "no sample": vector(),
    "not a number": vector("NaN"),
    "one is not a number": vector("0", "NaN"),
    "fault": {"status": "error", "error": "bad_data"},
    "not of everything": {**vector("0"), "warnings": ["a store is away"]},
    "string": {"status": "success", "data": {"resultType": "string", "result": [NOW, "0"]}},
    "500": 500,
    "401": 401,
    "elsewhere": 307,
    "no JSON": "<html>",
    "half": '{"status": "success", "data": {"resultType": "vector"}}',
    "list": [],
}


@pytest.mark.parametrize("answer", FAULTS.values(), ids=FAULTS)
async def test_faults_never_stop_a_server(answer: Any) -> None:
    verdict, fake, faults = await judged(rules(), server(), answer)
    assert (verdict.stop, verdict.why) == (False, Why.UNKNOWN)
    assert len(fake.asked) == 1
    assert verdict.detail == faults[0]
    assert not isinstance(answer, int) or str(answer) in verdict.detail
    verdict, _, faults = await judged(rules(), server(9), answer)
    assert (verdict.stop, verdict.why, len(faults)) == (False, Why.WITHIN_LIMITS, 1)


async def test_a_query_for_something_else_says_so() -> None:
    verdict, _, _ = await judged(rules(), server(), FAULTS["string"])
    assert verdict.detail == "culler.busy_if: the query yields a string, not samples"


async def test_busy_just_before_the_stop(caplog: Any) -> None:
    """A pass asks about whom it would stop, and once more when it is about to."""
    busy_if = "busy{user=$user}"
    async with FakePrometheus(vector("0")).serving() as fake:
        culler = Culler(busy_if=busy_if, prometheus={"url": fake.url})
        assert culler.rules.settings.prometheus
        users = {name: {"": running(2 * HOUR)} for name in ("bob", "eve")}
        async with (
            FakeHub(users).serving() as hub,
            Prometheus(culler.rules.settings.prometheus) as culler.prometheus,
        ):

            def back(method: str, path: str, count: int) -> None:
                if path == "/users/eve":
                    fake.answer = vector("1")

            hub.fault = back
            seen = await culler.look(hub, act=False)
            assert +seen.counts == {("stop", Why.IDLE): 2}
            fake.answer = vector("1")
            seen = await culler.look(hub)
            assert +seen.counts == {("keep", Why.BUSY): 2}
            fake.answer = 500
            assert +(await culler.look(hub)).counts == {("keep", Why.UNKNOWN): 2}
            assert "Of 2 servers it is not known how busy they are" in caplog.text
            fake.answer = vector("0")
            del hub.users["bob"]
            await culler.look(hub)
            assert hub.stopped == []
            assert culler.outcomes() == {"kept_busy": 1}


async def test_nobody_answers() -> None:
    judge = rules()
    async with Prometheus(PrometheusSettings(url="http://127.0.0.1:1", timeout=5)) as prometheus:
        verdict = await Usage(prometheus, judge).refine(server(), judge.judge(server(), NOW), NOW)
    assert verdict.why is Why.UNKNOWN
    assert "was not asked" in verdict.detail


async def test_age_holds_against_whoever_is_busy() -> None:
    judge = rules(max_age="9h")
    busy = server(idle=9 * HOUR, age=9 * HOUR + 9)
    for answer in (vector("1"), 500):
        verdict, _, _ = await judged(judge, busy, answer)
        assert (verdict.stop, verdict.why) == (True, Why.AGE)


async def test_what_is_known_is_quoted() -> None:
    about = Server('b"}b', pod="p\\", started=NOW - 9 * HOUR, last_activity=NOW - 2 * HOUR)
    _, fake, _ = await judged(rules(), about, vector("0"))
    assert fake.asked == [(r'busy{pod="p\\",user="b\"}b"}', "")]


async def test_a_token_is_sent_and_not_told(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret\n")
    token = {"token": {"file": str(path)}}
    verdict, fake, _ = await judged(rules(), server(), vector("0"), **token)
    assert fake.asked[0][1] == "Bearer secret"
    verdict, _, _ = await judged(rules(), server(), 500, **token)
    assert "secret" not in verdict.detail
    path.unlink()
    verdict, fake, _ = await judged(rules(), server(), vector("0"), **token)
    assert (verdict.why, fake.asked) == (Why.UNKNOWN, [])


@pytest.mark.parametrize(
    "more",
    [{"busy_if": "", "wastes_if": ""}, {"users": {"bob": {"busy_if": "", "wastes_if": ""}}}],
)
async def test_nobody_is_asked_without_a_query(more: dict[str, Any]) -> None:
    for about in (server(), server(9)):
        _, fake, _ = await judged(rules(**more), about, vector("1"))
        assert fake.asked == []


async def test_waste_keeps_to_windows_and_to_what_is_put_off() -> None:
    for more in ({"only": "thu"}, {"extend_to": "90d"}, {"cull_default_servers": False}):
        about = server(9 if "extend_to" not in more else 2 * HOUR, extended_until=NOW + HOUR)
        verdict, fake, _ = await judged(rules(**more), about, vector("1"))
        assert not verdict.stop
        assert fake.asked == []


def test_queries_need_somebody_to_ask() -> None:
    with pytest.raises(ValueError, match="prometheus, which is not set"):
        CullerSettings(users={"bob": {"busy_if": "up"}})


def test_what_may_waste_is_looked_at() -> None:
    judge = rules(timeout="never", profiles={"gpu": {"wastes_after": "30m"}})
    assert judge.looked_at[1] == HOUR / 2
