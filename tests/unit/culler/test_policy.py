"""The verdict on a server: which rule decides, and what happens where something is missing."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jhext.culler.model import InUse, servers_of
from jhext.culler.policy import Rules
from jhext.culler.settings import CullerSettings
from jhext.culler.verdict import Server, Why
from jhext.culler.window import Window, opens, parse_window
from tests.unit.culler.fake_hub import running

MINUTE, HOUR = 60.0, 3600.0
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC).timestamp()  # a Wednesday


def rules(**written: Any) -> Rules:
    return Rules(CullerSettings(**written))


def server(idle: float = 0, age: float = 30 * HOUR, **more: Any) -> Server:
    return Server("bob", last_activity=NOW - idle, started=NOW - age, **more)


LEVELS: dict[str, Any] = {
    "timeout": "1h",
    "profiles": {"gpu": {"timeout": "10m", "max_age": "2d"}, "lab": {"never": True}},
    "groups": {"staff": {"timeout": "8h"}, "interns": {"timeout": "1m", "max_age": "40h"}},
    "users": {"alice": {"timeout": "never"}, "carol": {"timeout": "2h"}},
    "servers": {"dash": {"timeout": "5h"}, "carol/dash": {"timeout": "6h"}},
}


@pytest.mark.parametrize(
    ("about", "timeout", "said_by"),
    [
        pytest.param({}, HOUR, "culler.timeout", id="global"),
        pytest.param({"profile": "gpu"}, 10 * MINUTE, "profiles.gpu.timeout", id="shorter"),
        pytest.param({"profile": "other"}, HOUR, "culler.timeout", id="profile without a rule"),
        pytest.param({"profile": "lab"}, math.inf, "profiles.lab.timeout", id="never"),
        pytest.param(
            {"profile": "gpu", "groups": ("staff",)}, 8 * HOUR, "groups.staff.timeout", id="group"
        ),
        pytest.param(
            {"groups": ("interns", "staff")}, 8 * HOUR, "groups.staff.timeout", id="first written"
        ),
        pytest.param(
            {"profile": "lab", "user": "carol", "groups": ("staff",)},
            2 * HOUR,
            "users.carol.timeout",
            id="user ends never",
        ),
        pytest.param({"name": "dash"}, 5 * HOUR, "servers.dash.timeout", id="name"),
        pytest.param(
            {"name": "dash", "user": "alice"}, 5 * HOUR, "servers.dash.timeout", id="name over user"
        ),
        pytest.param(
            {"name": "dash", "user": "carol"}, 6 * HOUR, "servers.carol/dash.timeout", id="full"
        ),
        pytest.param(
            {"profile": "gone", "granted": {"timeout": 120}}, 120, "granted.timeout", id="granted"
        ),
        pytest.param(
            {"profile": "gpu", "granted": {"timeout": 120}},
            10 * MINUTE,
            "profiles.gpu.timeout",
            id="d36 current before granted",
        ),
    ],
)
def test_d36_the_most_specific_rule_decides(about: Any, timeout: float, said_by: str) -> None:
    """D-36: shorter and longer than the global limit, by the rules as they are now."""
    limits = rules(**LEVELS).limits(replace(server(), **about))
    assert (limits.timeout, limits.said_by["timeout"]) == (timeout, said_by)


def test_each_key_is_decided_by_itself() -> None:
    limits = rules(**LEVELS).limits(server(profile="gpu", groups=("staff", "interns")))
    assert (limits.timeout, limits.max_age) == (8 * HOUR, 40 * HOUR)


CASES: dict[str, tuple[dict[str, Any], Server, bool, Why]] = {
    "used": ({}, server(idle=HOUR - 1), False, Why.WITHIN_LIMITS),
    "idle": ({}, server(idle=HOUR), True, Why.IDLE),
    "old": ({"max_age": "30h"}, server(), True, Why.AGE),
    "old and idle": ({"max_age": "30h"}, server(idle=HOUR), True, Why.AGE),
    "not old": ({"max_age": "31h"}, server(), False, Why.WITHIN_LIMITS),
    "age 0": ({"max_age": 0}, server(), False, Why.WITHIN_LIMITS),
    "never": ({"timeout": "never"}, server(idle=9e9, age=9e9), False, Why.NEVER),
    "no activity": ({}, Server("bob", started=NOW - HOUR), True, Why.IDLE),
    "no activity, new": ({}, Server("bob", started=NOW - 9), False, Why.WITHIN_LIMITS),
    "no start": ({"max_age": 9}, Server("bob", last_activity=NOW), False, Why.WITHIN_LIMITS),
    "no times": ({"max_age": 9}, Server("bob"), False, Why.UNKNOWN),
    "activity before the start": ({}, server(idle=9e6, age=9), False, Why.WITHIN_LIMITS),
    "activity to come": ({}, server(idle=-59 * MINUTE), False, Why.WITHIN_LIMITS),
    "activity to come does not hide the age": (
        {"max_age": "30h"},
        server(idle=-59 * MINUTE),
        True,
        Why.AGE,
    ),
    "start to come": ({"max_age": 9}, server(idle=-HOUR, age=-HOUR), False, Why.WITHIN_LIMITS),
    "starting": ({}, server(idle=9e6, pending="spawn"), False, Why.PENDING),
    "not running": ({}, server(idle=9e6, ready=False), False, Why.NOT_RUNNING),
    "state unseen": ({}, server(idle=9e6, profile=None), False, Why.UNKNOWN),
    "groups unseen": (LEVELS, server(idle=9e6, groups=None), False, Why.UNKNOWN),
    "groups unseen, no rule": ({}, server(idle=9e6, groups=None), True, Why.IDLE),
    "named": ({}, server(idle=HOUR, name="a"), True, Why.IDLE),
    "named ones stay": (
        {"cull_named_servers": False, "max_age": 1},
        server(idle=HOUR, name="a"),
        False,
        Why.NEVER,
    ),
    "default ones stay": ({"cull_default_servers": False}, server(idle=HOUR), False, Why.NEVER),
    "put off": (
        {"extend_to": "31h"},
        server(idle=HOUR, extended_until=NOW + 1),
        False,
        Why.EXTENDED,
    ),
    "put off as long as it could be": (
        {"extend_to": "30h"},
        server(idle=HOUR, extended_until=9e12),
        True,
        Why.IDLE,
    ),
    "put off without a rule": ({}, server(idle=HOUR, extended_until=9e12), True, Why.IDLE),
    "in the window": ({"only": "wed 11:00-13:00"}, server(idle=HOUR), True, Why.IDLE),
    "not in the window": ({"only": ["thu", "13:00-11:00"]}, server(idle=HOUR), False, Why.WINDOW),
    "window elsewhere": (
        {"only": "13:00-14:00", "time_zone": "Europe/Berlin"},
        server(idle=HOUR),
        True,
        Why.IDLE,
    ),
}


@pytest.mark.parametrize(("written", "about", "stop", "why"), CASES.values(), ids=CASES)
def test_d35_verdict(written: dict[str, Any], about: Server, stop: bool, why: Why) -> None:
    """D-35: also without activity, without a start, and by age under a rule of its own."""
    verdict = rules(**written).judge(about, NOW)
    assert (verdict.stop, verdict.why) == (stop, why)


def test_a_verdict_says_why() -> None:
    verdict = rules(**LEVELS).judge(server(idle=HOUR, profile="gpu"), NOW)
    assert verdict.detail == "profiles.gpu.timeout is 10m"
    assert verdict.at == NOW - HOUR + 10 * MINUTE


@given(
    idle=st.floats(-1e10, 1e10),
    age=st.floats(-1e10, 1e10),
    timeout=st.integers(1, 10**9) | st.just("never"),
    max_age=st.integers(0, 10**9) | st.just("never"),
)
def test_nothing_is_stopped_before_its_limit(
    idle: float, age: float, timeout: Any, max_age: Any
) -> None:
    verdict = rules(timeout=timeout, max_age=max_age).judge(server(idle, age), NOW)
    over_timeout = timeout != "never" and min(idle, age) >= timeout - 1e-3
    over_age = max_age not in (0, "never") and age >= max_age - 1e-3
    if verdict.stop:
        assert over_timeout or over_age
    elif verdict.why is Why.NEVER:
        assert timeout == "never"
        assert max_age in (0, "never")
    else:
        assert verdict.at > NOW


@pytest.mark.parametrize(
    ("text", "moment", "inside"),
    [
        ("Mon-Fri 20:00-06:00", "2026-03-02T20:00", True),
        ("Mon-Fri 20:00-06:00", "2026-03-02T05:59", False),  # it began on a Sunday
        ("Mon-Fri 20:00-06:00", "2026-03-07T05:59", True),  # it began on the Friday
        ("Mon-Fri 20:00-06:00", "2026-03-07T06:00", False),
        ("Sat-Mon", "2026-03-02T12:00", True),
        ("sat,wed", "2026-03-03T12:00", False),
        ("22:00-24:00", "2026-03-02T23:59", True),
        ("22:00-24:00", "2026-03-02T00:00", False),
        ("0:00-24:00", "2026-03-02T00:00", True),
        ("8:00-8:00", "2026-03-02T07:59", True),
    ],
)
def test_windows(text: str, moment: str, inside: bool) -> None:
    assert parse_window(text).holds(datetime.fromisoformat(moment)) is inside


@pytest.mark.parametrize(
    ("text", "moment", "opened"),
    [
        ("Mon-Fri 20:00-06:00", "2026-03-02T12:00", "2026-03-02T20:00"),
        ("Mon-Fri 20:00-06:00", "2026-03-02T21:00", "2026-03-02T21:00"),
        ("Mon-Fri 20:00-06:00", "2026-03-07T07:00", "2026-03-09T20:00"),
        ("Sun", "2026-03-02T00:00", "2026-03-08T00:00"),
        ("Mon 08:00-09:00", "2026-03-02T09:00", "2026-03-09T08:00"),
    ],
)
def test_when_a_window_opens(text: str, moment: str, opened: str) -> None:
    found = opens(parse_window(text), datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(opened).replace(tzinfo=UTC)


@given(
    begin=st.times(),
    end=st.times(),
    day=st.integers(0, 6),
    moment=st.datetimes(
        datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.timezones(), allow_imaginary=False
    ),
)
def test_a_window_holds_from_when_it_opens(
    begin: time, end: time, day: int, moment: datetime
) -> None:
    window = Window(frozenset({day}), begin, end)
    found = opens(window, moment)
    assert found.timestamp() >= moment.timestamp()
    assert window.holds(found)


NO_ZONES = """
import sys
sys.modules["tzdata"] = None
from jhext.culler.policy import Rules
from jhext.culler.settings import CullerSettings
Rules(CullerSettings(only="12:00-13:00"))
try:
    CullerSettings(time_zone="Europe/Berlin")
except ValueError as error:
    assert "install tzdata" in str(error), error
else:
    raise AssertionError
"""


def test_utc_is_known_where_no_time_zones_are() -> None:
    """Small images have none: a culler without windows must run there, and so must every start."""
    subprocess.run([sys.executable, "-c", NO_ZONES], env={"PYTHONTZPATH": ""}, check=True)


@pytest.mark.parametrize(
    ("text", "moment", "opened"),
    [
        # Put forward from 2:00 to 3:00: it opens in the middle, or not at all.
        ("02:30-04:00", "2026-03-29T00:00+01:00", "2026-03-29T03:00+02:00"),
        ("02:00-03:00", "2026-03-29T00:00+01:00", "2026-03-30T02:00+02:00"),
        ("Sun 02:00-03:00", "2026-03-29T00:00+01:00", "2026-04-05T02:00+02:00"),
        # Put back from 3:00 to 2:00: it opens twice.
        ("02:45-04:00", "2026-10-25T02:30+01:00", "2026-10-25T02:45+01:00"),
        ("02:15-02:30", "2026-10-25T02:30+02:00", "2026-10-25T02:15+01:00"),
        ("01:30-02:30", "2026-10-25T02:45+02:00", "2026-10-25T02:00+01:00"),
    ],
)
def test_when_a_window_opens_in_the_night_of_another_time(
    text: str, moment: str, opened: str
) -> None:
    """Nobody is stopped before, and what is told of the stop is true."""
    now = datetime.fromisoformat(moment).timestamp()
    about = Server("bob", started=now - HOUR, last_activity=now - HOUR)
    verdict = rules(timeout="1h", only=text, time_zone="Europe/Berlin").judge(about, now)
    expected = datetime.fromisoformat(opened).timestamp()
    assert (verdict.stop, verdict.at) == (False, expected)


@given(st.floats(NOW, NOW + HOUR - 1))
def test_an_open_window_is_open_at_every_moment(now: float) -> None:
    """Also where a date is rounded to a later microsecond."""
    about = Server("bob", started=now - HOUR, last_activity=now - HOUR)
    assert rules(timeout="1h", only="12:00-13:00").judge(about, now).stop


@pytest.mark.parametrize(
    ("timeout", "at", "why"),
    [
        ("1h", "2026-03-04T20:00", Why.WINDOW),  # its time has been over since noon
        ("2h", "2026-03-04T20:00", Why.WITHIN_LIMITS),
        ("10h", "2026-03-04T21:00", Why.WITHIN_LIMITS),
        ("20h", "2026-03-05T20:00", Why.WITHIN_LIMITS),
    ],
)
def test_a_stop_is_told_for_when_the_window_is_open(timeout: str, at: str, why: Why) -> None:
    verdict = rules(timeout=timeout, only="20:00-23:00").judge(server(idle=HOUR), NOW)
    expected = datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
    assert (verdict.at, verdict.why) == (expected, why)


def test_a_window_goes_by_the_clock_on_the_wall() -> None:
    """In the night in which clocks are put forward, too."""
    window = parse_window("02:00-04:00")
    berlin = ZoneInfo("Europe/Berlin")
    assert window.holds(datetime(2026, 3, 29, 1, 30, tzinfo=UTC).astimezone(berlin))
    assert not window.holds(datetime(2026, 3, 29, 2, 30, tzinfo=UTC).astimezone(berlin))


@pytest.mark.parametrize(
    "text", ["", "Mon-", "25:00-26:00", "24:00-6:00", "20:00", "Mon 20:00", "Montag"]
)
def test_no_windows(text: str) -> None:
    with pytest.raises(ValueError, match="no window"):
        parse_window(text)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"timeout": 0}, "write never"),
        ({"timeout": "-1h"}, "no duration"),
        ({"max_age": False}, "no duration"),
        ({"users": {"bob": {"never": True, "timeout": 5}}}, "contradict"),
        ({"only": "Mon 20:00"}, "no window"),
        ({"only": []}, "must be a window"),
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
        ({"profiles": {"gpu": {"cull_users": True}}}, "Extra inputs"),
        ({"timeouts": 5}, "Extra inputs"),
    ],
)
def test_faults(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CullerSettings(**written)


def test_the_shortest_limits() -> None:
    assert (rules(**LEVELS).shortest_timeout, rules(**LEVELS).shortest_age) == (MINUTE, 40 * HOUR)
    assert rules(never=True).shortest_timeout == math.inf


@pytest.mark.parametrize(
    ("user", "groups", "admin", "seconds"),
    [
        ("bob", (), False, HOUR),
        ("bob", (), True, math.inf),
        ("kept", (), False, math.inf),
        ("bob", ("staff",), False, math.inf),
        ("own", ("staff",), False, 60),
    ],
)
def test_people_who_are_deleted(
    user: str, groups: tuple[str, ...], admin: bool, seconds: float
) -> None:
    judge = rules(
        cull_users=True,
        cull_admin_users=False,
        users={"kept": {"never": True}, "own": {"cull_users": True, "timeout": 60}},
        groups={"staff": {"cull_users": False}},
    )
    assert judge.cull_user(user, groups, admin=admin) == seconds
    assert rules().cull_user(user, groups, admin=admin) == math.inf


@given(
    idle=st.floats(0, 1e6), age=st.floats(0, 1e6), timeout=st.integers(1, 9999), old=st.booleans()
)
def test_what_is_in_use_by_its_text_is_within_every_limit(
    idle: float, age: float, timeout: int, old: bool
) -> None:
    """The short cut never passes over a server that the rules would stop."""
    judge = rules(timeout=timeout, max_age="1d" if old else "never")
    model = running(idle, age, "lab")
    in_use = InUse.at(NOW, judge.shortest_timeout, judge.shortest_age)
    if in_use.is_all_of({"": model}):
        (server,) = servers_of({"name": "bob", "groups": [], "servers": {"": model}})
        assert judge.judge(server, NOW).why is Why.WITHIN_LIMITS
    else:
        assert idle > timeout - 4 or age > timeout - 4


@pytest.mark.parametrize(
    "change",
    [
        {"pending": "stop"},
        {"ready": False},
        {"last_activity": None},
        {"started": None},
        {"started": 5},
        {"state": 5},
        {"state": {"jhext": {"profile": "lab", "cull": {"timeout": 1}}}},
    ],
)
def test_when_in_doubt_a_server_is_read(change: dict[str, Any]) -> None:
    in_use = InUse.at(NOW, HOUR, 9 * HOUR)
    assert in_use.is_all_of({"": running(9, 9, "lab")})
    assert not in_use.is_all_of({"": {**running(9, 9, "lab"), **change}})


def test_limits_that_do_not_hold_keep_nobody_from_the_short_cut() -> None:
    """Every server of a profile with a rule has them, from its start."""
    granted = running(9, 9, "lab", cull={"timeout": 1})
    assert InUse.at(NOW, HOUR, 9 * HOUR, {"lab"}).is_all_of({"": granted})
    assert not InUse.at(NOW, HOUR, 9 * HOUR, {"gpu"}).is_all_of({"": granted})
