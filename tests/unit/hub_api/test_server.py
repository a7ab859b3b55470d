"""What is told of a server's end, and what remains of a notice when it is put off."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tornado import web

from jhext.culler.policy import Rules
from jhext.culler.settings import CullerSettings
from jhext.hub_api.server import put_off, told
from tests.unit.culler.fake_hub import NOW

MINUTE, HOUR = 60.0, 3600.0
PROMETHEUS = {"url": "http://127.0.0.1:1"}


@pytest.fixture
async def spawner(make_spawner: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a server that was started 9 hours ago and used 50 minutes ago."""
    made = make_spawner()
    made.orm_spawner.started = written(NOW - 9 * HOUR)
    used(made, NOW - 50 * MINUTE)
    monkeypatch.setattr(type(made), "ready", True)
    return made


def written(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)


def used(spawner: Any, moment: float) -> None:
    spawner.orm_spawner.last_activity = written(moment)


def notice(at: float, why: str = "idle") -> dict[str, Any]:
    return {"at": at, "why": why, "rule": "as it was noticed"}


def rules(**section: Any) -> Rules:
    return Rules(CullerSettings(**{"timeout": "1h", "extend_to": "24h", **section}))


@pytest.mark.parametrize(
    ("section", "noticed", "seconds", "why", "is_shown"),
    [
        # It is the end of the rules, but for what is rounded.
        ({}, notice(NOW + 10 * MINUTE), 600, "idle", True),
        ({}, notice(NOW + 10 * MINUTE + 0.9), 601, "idle", True),
        # It was used since, or the rules are others: what was noticed will not be.
        ({}, notice(NOW + 5 * MINUTE), 600, "within_limits", False),
        ({"timeout": "2h"}, notice(NOW + 10 * MINUTE), 4200, "within_limits", False),
        ({"never": True, "timeout": None}, notice(NOW + MINUTE), None, "never", False),
        # The end of a right is none of the rules'.
        ({}, notice(NOW + 5 * MINUTE, "revoked"), 300, "revoked", True),
        ({}, notice(NOW + 30 * MINUTE, "revoked"), 600, "within_limits", True),
        # It was busy when it was noticed; then its age is the end.
        (
            {"max_age": "9h20m", "busy_if": "up", "prometheus": PROMETHEUS},
            notice(NOW + 20 * MINUTE, "age"),
            600,
            "within_limits",
            True,
        ),
        ({"max_age": "9h20m"}, notice(NOW + 20 * MINUTE, "age"), 600, "within_limits", False),
    ],
)
async def test_the_end_of_a_notice(
    spawner: Any,
    section: dict[str, Any],
    noticed: dict[str, Any],
    seconds: int | None,
    why: str,
    is_shown: bool,
) -> None:
    spawner.note(notice=noticed)
    section = {key: value for key, value in section.items() if value is not None}
    given = Rules(CullerSettings(**({} if "never" in section else {"timeout": "1h"}) | section))
    answer = told(spawner, given, NOW)
    assert (answer["seconds_left"], answer["why"]) == (seconds, why)
    assert (answer["notice"] is not None) == is_shown
    assert (answer["rule"] == "as it was noticed") == (why == noticed["why"])


async def test_a_notice_of_before_the_stop_was_put_off(spawner: Any) -> None:
    """The culler judged before, and says so after: nobody is shown that end."""
    early = notice(NOW + 10 * MINUTE)
    spawner.note(notice=early)
    put_off(spawner, rules(), NOW + 2 * HOUR, NOW)
    assert spawner.notice is None
    spawner.note(notice=early)
    answer = told(spawner, rules(), NOW)
    assert (answer["notice"], answer["why"], answer["seconds_left"]) == (None, "extended", 7200)


async def test_a_stop_that_stays_as_near_keeps_its_notice(spawner: Any) -> None:
    """The culler gave it once and does not give it again."""
    spawner.note(notice=notice(NOW + 10 * MINUTE))
    put_off(spawner, rules(), NOW + MINUTE, NOW)
    assert spawner.notice
    assert told(spawner, rules(), NOW)["notice"]


async def test_nothing_brings_a_stop_nearer(spawner: Any) -> None:
    put_off(spawner, rules(), NOW + 3 * HOUR, NOW)
    put_off(spawner, rules(), NOW + HOUR, NOW)
    assert told(spawner, rules(), NOW)["seconds_left"] == 3 * HOUR
    put_off(spawner, rules(), NOW + 99 * HOUR, NOW)
    assert told(spawner, rules(), NOW)["seconds_left"] == 15 * HOUR


@pytest.mark.parametrize(
    ("section", "noticed"),
    [
        ({"extend_to": 0}, None),
        ({"extend_to": "8h"}, None),
        ({}, notice(NOW + HOUR, "revoked")),
    ],
)
async def test_what_cannot_be_put_off(spawner: Any, section: dict[str, Any], noticed: Any) -> None:
    if noticed:
        spawner.note(notice=noticed)
    with pytest.raises(web.HTTPError) as refused:
        put_off(spawner, rules(**section), NOW + HOUR, NOW)
    assert refused.value.status_code == 403
    assert spawner.notice == noticed
