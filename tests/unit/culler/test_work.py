"""Passes against a hub that fails in every way: nobody is wrongly stopped, nobody forgotten."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhext.culler import work as work_module
from jhext.culler.clock import HEARD, SETTLING, Clock
from jhext.culler.hub import ATTEMPTS, HubError
from jhext.culler.judging import Judge
from jhext.culler.usage import Usage
from jhext.culler.verdict import Why
from jhext.culler.work import BASE_SCOPES, USER_SCOPES, MissingScopes
from tests.unit.culler.conftest import Culler
from tests.unit.culler.fake_hub import NOW, FakeHub, running, stamp

HOUR = 3600


def crowd(size: int, idle: int) -> dict[str, Any]:
    """Give people of whom every so many-th is idle."""
    return {
        f"user{n}": {"": running(2 * HOUR if n % idle == 0 else 9, profile="lab")}
        for n in range(size)
    }


def idle_ones(size: int, idle: int) -> list[str]:
    return sorted(f"user{n}/" for n in range(0, size, idle))


async def test_each_server_by_its_rule() -> None:
    users = {
        "alice": {"": running(2 * HOUR, profile="gpu"), "keep": running(9 * HOUR)},
        "bob": {"": running(2 * HOUR, profile="lab"), "one": running(2 * HOUR)},
        "carol": {"": running(2 * HOUR)},
        "dora": {},
    }
    culler = Culler(
        profiles={"lab": {"timeout": "3h"}},
        groups={"staff": {"timeout": "4h"}},
        servers={"alice/keep": {"never": True}},
    )
    async with FakeHub(users, groups={"carol": ["staff"]}).serving() as hub:
        await culler.look(hub)
        assert sorted(hub.stopped) == ["alice/", "bob/one"]
    assert culler.outcomes() == {"stopped": 2}


async def test_d34_all_pages_are_read() -> None:
    async with FakeHub(crowd(1000, idle=100)).serving() as hub:
        await Culler().look(hub)
        assert sorted(hub.stopped) == idle_ones(1000, 100)
        pages = [path for method, path in hub.asked if path.startswith("/users?")]
        assert len(pages) == 5


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(user=NAMES, server=NAMES)
async def test_any_name_is_one_part_of_the_path(user: str, server: str) -> None:
    if {user, server} & {".", ".."}:
        return  # no path can hold them
    async with FakeHub({user: {server: running(2 * HOUR)}, "x": {}}).serving() as hub:
        await Culler().look(hub)
        assert hub.stopped == [f"{user}/{server}"]


@pytest.mark.parametrize("fault", [503, 500, 429, "drop", "half"])
async def test_failing_pages_and_stops_are_tried_again(fault: Any) -> None:
    """Every page fails at first, and so does every stop."""
    async with FakeHub(crowd(500, idle=50)).serving() as hub:
        hub.fault = lambda method, path, count: (
            fault if count == 1 and (method == "GET" or fault != "half") else None
        )
        await Culler().look(hub)
        assert sorted(set(hub.stopped)) == idle_ones(500, 50)


async def test_a_page_that_never_comes_is_left_out_of_one_pass() -> None:
    culler = Culler()
    async with FakeHub(crowd(600, idle=50)).serving() as hub:
        hub.fault = lambda method, path, count: 503 if "offset=200&" in path else None
        seen = await culler.look(hub)
        assert not seen.whole
        expected = [name for name in idle_ones(600, 50) if not 200 <= int(name[4:-1]) < 400]
        assert sorted(hub.stopped) == expected
        hub.fault = lambda method, path, count: None
        await culler.look(hub)
        assert sorted(hub.stopped) == idle_ones(600, 50)


async def test_a_page_that_never_comes_of_a_hub_with_smaller_pages() -> None:
    """What is left out is as long as pages are, and not as long as was asked for."""
    async with FakeHub(crowd(200, idle=10), longest_page=50).serving() as hub:
        hub.fault = lambda method, path, count: 500 if "offset=50&" in path else None
        await Culler().look(hub)
        assert sorted(hub.stopped) == sorted(
            f"user{n}/" for n in (*range(0, 50, 10), *range(100, 200, 10))
        )


async def test_without_the_first_page_nothing_is_done() -> None:
    async with FakeHub(crowd(10, idle=1)).serving() as hub:
        hub.fault = lambda method, path, count: 503 if "offset=0" in path else None
        with pytest.raises(HubError, match="503"):
            await Culler().look(hub)
        assert hub.stopped == []


@pytest.mark.parametrize(
    ("fault", "outcome"), [(400, "refused"), (404, "refused"), (403, "refused"), (500, "failed")]
)
async def test_stops_that_are_not_done(fault: int, outcome: str) -> None:
    """One server that cannot be stopped keeps no other from it."""
    culler = Culler()
    async with FakeHub(crowd(5, idle=1)).serving() as hub:
        hub.fault = lambda method, path, count: (
            fault if (method, path) == ("DELETE", "/users/user3/server") else None
        )
        await culler.look(hub)
        assert sorted(hub.stopped) == ["user0/", "user1/", "user2/", "user4/"]
        assert culler.outcomes() == {"stopped": 4, outcome: 1}
        hub.fault = lambda method, path, count: None
        await culler.look(hub)
        assert "user3/" in hub.stopped


@pytest.mark.parametrize("tells_idle", [True, False])
async def test_gone_when_it_was_to_be_stopped(tells_idle: bool) -> None:
    culler = Culler()
    async with FakeHub({"bob": {"a": running(9e3)}}, tells_idle=tells_idle).serving() as hub:

        def gone(method: str, path: str, count: int) -> int | None:
            return 404 if method == "DELETE" and hub.users["bob"].pop("a") else None

        hub.fault = gone
        await culler.look(hub)
    assert culler.outcomes() == {"gone": 1}


async def test_a_stop_that_answers_too_late_is_looked_at_again() -> None:
    culler = Culler(request_timeout=0.3)
    async with FakeHub(crowd(1, idle=1)).serving() as hub:
        hub.fault = lambda method, path, count: (
            "hang" if method == "DELETE" and count == 1 else None
        )
        await culler.look(hub)
        assert hub.stopped == ["user0/"]


async def test_slow_stops_are_left_to_the_hub() -> None:
    culler = Culler()
    async with FakeHub(crowd(2, idle=1), slow_stop=True).serving() as hub:
        await culler.look(hub)
        await culler.look(hub)
        assert sorted(hub.stopped) == ["user0/", "user1/"]
    assert culler.outcomes() == {"stopping": 2}


async def test_a_last_look_that_fails_keeps_no_other_waiting() -> None:
    """Each has its turn before anybody is asked about once more."""
    culler = Culler()
    async with FakeHub(crowd(9, idle=1)).serving() as hub:
        hub.fault = lambda method, path, count: 503 if path == "/users/user0" else None
        await culler.look(hub)
        looks = [
            path for method, path in hub.asked if path.startswith("/users/") and method == "GET"
        ]
    assert len(looks) == 8 + ATTEMPTS
    assert len(set(looks[:9])) == 9
    assert culler.outcomes() == {"stopped": 8, "failed": 1}


AWAY = dict.fromkeys((502, 503, 504), True) | {403: False, 500: False}


@pytest.mark.parametrize(("fault", "is_away"), AWAY.items())
@pytest.mark.parametrize(
    "failing",
    [
        ("GET", "/users?state=active&sort=id&offset=5&limit=5"),
        ("GET", "/users/user0"),
        ("DELETE", "/users/user0/server"),
        ("GET", "/users/gone"),
        ("DELETE", "/users/gone"),
    ],
    ids=lambda failing: "-".join(failing),
)
async def test_a_hub_that_goes_away_in_the_middle_of_a_pass(
    failing: tuple[str, str], fault: int, is_away: bool
) -> None:
    """Who works meanwhile is not known in the next one either."""
    culler = Culler(cull_users=True, api_page_size=5)
    users = {**crowd(9, idle=9), "gone": {}}
    async with FakeHub(users, scopes=sorted(BASE_SCOPES | USER_SCOPES)).serving() as hub:

        def away(method: str, path: str, count: int) -> int | None:
            fails = (method, path) == failing or (path == "/user" and count > 1)
            return fault if fails else None

        hub.fault = away
        try:
            await culler.look(hub)
        except HubError:
            assert fault == 403  # a page that is refused ends a pass
        assert culler.clock._is_away is is_away
    assert HubError("no answer").is_away


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_one_server_that_fails_is_not_the_hub(method: str) -> None:
    """Else it would keep all others from being stopped, pass after pass."""
    culler = Culler()
    async with FakeHub(crowd(9, idle=9)).serving() as hub:
        hub.fault = lambda asked, path, count: (
            503 if asked == method and path.startswith("/users/user0") else None
        )
        await culler.look(hub)
    assert not culler.clock._is_away


async def test_used_again_meanwhile() -> None:
    """Whoever is back between the look and the stop keeps the server."""
    culler = Culler()
    async with FakeHub(crowd(20, idle=1)).serving() as hub:

        def back(method: str, path: str, count: int) -> None:
            if path == "/users/user0":
                for servers in hub.users.values():
                    servers[""]["last_activity"] = stamp(NOW)

        hub.fault = back
        await culler.look(hub)
        assert hub.stopped == []
    assert culler.outcomes() == {"kept_within_limits": 20}


@pytest.mark.parametrize("name", ["user0", "a/b&user=back ü"])
async def test_with_the_handler_nobody_is_paged(name: str) -> None:
    """One question finds the idle ones, one each is the last look at them."""
    users = {who: {"": running(idle)} for who, idle in ((name, 9e3), ("back", 9e3), ("busy", 0))}
    culler = Culler()
    async with FakeHub(users, tells_idle=True).serving() as hub:

        def back(method: str, path: str, count: int) -> None:
            if path.startswith("/jhext/idle?user="):
                users["back"][""] = running()

        hub.fault = back
        seen = await culler.look(hub)
        assert hub.stopped == [f"{name}/"]
        assert not [path for method, path in hub.asked if path[:6] == "/users" and method == "GET"]
    assert seen.counts.total() == 2
    assert culler.outcomes() == {"stopped": 1, "kept_within_limits": 1}


async def test_deleted_meanwhile() -> None:
    culler = Culler()
    async with FakeHub(crowd(2, idle=1)).serving() as hub:

        def delete(method: str, path: str, count: int) -> None:
            if path == "/users/user0":
                hub.users.pop("user0", None)

        hub.fault = delete
        await culler.look(hub)
        assert hub.stopped == ["user1/"]
    assert culler.outcomes() == {"gone": 1, "stopped": 1}


async def test_many_at_a_time_over_all_people() -> None:
    async with FakeHub(crowd(30, idle=1), seconds_per_stop=0.5).serving() as hub:
        await Culler(concurrency=10).look(hub)
        assert hub.most_stops == 10
        assert len(hub.stopped) == 30


@pytest.mark.parametrize("tells_idle", [True, False])
@pytest.mark.parametrize(
    "faulty",
    [
        {},
        {"state": 5},
        {"state": {"jhext": {"profile": "gone", "cull": {"timeout": "soon"}}}},
        {"started": "yesterday"},
        {"pending": 7},
    ],
)
async def test_nor_another_server_of_the_same_person(
    faulty: dict[str, Any], tells_idle: bool
) -> None:
    """Whichever of them comes first."""
    bad = {**running(9e3), **faulty} if faulty else {"last_activity": stamp(0)}
    servers = {"a": running(9e3), "bad": bad, "c": running(9e3)}
    culler = Culler(servers={"bad": {"never": True}})
    async with FakeHub({"bob": servers}, tells_idle=tells_idle).serving() as hub:
        await culler.look(hub)
        assert sorted(hub.stopped) == ["bob/a", "bob/c"]


async def test_people_who_cannot_be_listed_keep_no_server() -> None:
    culler = Culler(cull_users=True)
    scopes = sorted(BASE_SCOPES | USER_SCOPES)
    async with FakeHub({**crowd(2, idle=1), "gone": {}}, scopes=scopes).serving() as hub:
        hub.fault = lambda method, path, count: 500 if "state=inactive" in path else None
        seen = await culler.look(hub)
        assert not seen.whole
        assert sorted(hub.stopped) == ["user0/", "user1/"]
        assert "gone" in hub.users


async def test_a_server_that_cannot_be_read_stops_no_other(caplog: Any) -> None:
    users = crowd(3, idle=1)
    users["user1"][""]["started"] = "yesterday"
    async with FakeHub(users).serving() as hub:
        seen = await Culler().look(hub)
        assert not seen.whole
        assert sorted(hub.stopped) == ["user0/", "user2/"]
    assert "passed over" in caplog.text


@pytest.mark.parametrize("scope", sorted(FakeHub({}).scopes))
async def test_each_scope_taken_away_is_named(scope: str) -> None:
    async with FakeHub(crowd(3, idle=1)).serving() as hub:
        hub.scopes.remove(scope)
        hub.scopes.append(f"{scope}!user=jhext-culler")  # of itself alone
        with pytest.raises(MissingScopes, match=scope):
            await Culler().look(hub)
        assert hub.stopped == []


async def test_a_clock_that_jumps_stops_nobody() -> None:
    culler = Culler()
    async with FakeHub(crowd(3, idle=5)).serving() as hub:
        hub.users.pop("user0")
        await culler.look(hub)
        hub.now += 5 * HOUR
        await culler.look(hub)
        assert hub.stopped == []
        culler.clock._settled_at -= SETTLING
        await culler.look(hub)
        assert sorted(hub.stopped) == ["user1/", "user2/"]


def test_the_clock() -> None:
    clock = Clock()
    assert not clock.set(1000, 10)
    assert not clock.set(1100, 110)
    assert clock.set(5000, 120)
    assert not clock.is_settled(130)
    assert not clock.set(5900, 1020)
    assert clock.is_settled(1020)
    assert clock.now(1030) == 5910


def test_a_hub_that_was_away() -> None:
    clock = Clock()
    assert clock.has_heard(0, HOUR, 0)
    clock.lose()
    clock.set(9e6, 1000)  # how long it was away is not known
    assert not clock.has_heard(9e6 - 5 * HOUR, HOUR, 1000 + HEARD - 1)
    assert not clock.has_heard(0, HOUR, 1000)
    assert clock.has_heard(9e6 + 1, HOUR, 1000)
    assert clock.has_heard(9e6 - 5 * HOUR, HOUR, 1000 + HEARD)
    assert clock.has_heard(9e6 - 5 * HOUR, 5, 1005)
    clock.set(9e6 + 2000, 3000)
    clock.lose()
    clock.set(9e6 + 2600, 3600)  # too short a time for whoever works to seem idle for an hour
    assert clock.has_heard(9e6 - 5 * HOUR, HOUR, 3600)
    assert not clock.has_heard(9e6 - 5 * HOUR, 600 + HEARD, 3600)
    clock.set(9e6 + 2600 + HEARD, 3600 + HEARD)
    assert clock.has_heard(9e6 - 5 * HOUR, 600 + HEARD, 3600 + HEARD)


async def test_revoked_after_the_grace_period() -> None:
    culler = Culler(revoked_after="1h", profiles={"lab": {"never": True}})
    async with FakeHub(crowd(3, idle=5), revoked={"user1/": "blocked"}).serving() as hub:
        await culler.look(hub)
        assert hub.stopped == []
        culler.revocations._since["user1/"] -= HOUR
        seen = await culler.look(hub, act=False)
        assert seen.to_stop[0].verdict.detail == "the right to it has ended: blocked"
        hub.revoked = {}
        await culler.look(hub)
        assert hub.stopped == []
        hub.revoked = {"user1/": "blocked"}
        await culler.look(hub)
        culler.revocations._since["user1/"] -= HOUR
        await culler.look(hub)
        assert hub.stopped == ["user1/"]


async def test_the_grace_of_before_is_over_while_rights_are_not_looked_at() -> None:
    """Whoever has got the right back meanwhile, and loses it again, has the whole of it."""
    culler = Culler(revoked_after="1h", never=True)
    async with FakeHub(crowd(2, idle=5), revoked={"user1/": "blocked"}).serving() as hub:
        await culler.look(hub)
        culler.revocations._since["user1/"] -= HOUR
        rules, culler.rules = culler.rules, Culler(never=True).rules
        await culler.look(hub)
        culler.rules = rules
        await culler.look(hub)
        assert hub.stopped == []


async def test_a_directory_that_flaps_does_not_put_off_a_stop_for_ever() -> None:
    """While nobody can tell, nobody is stopped; the grace goes on from when it began."""
    culler = Culler(revoked_after="1h", never=True)
    async with FakeHub(crowd(2, idle=5), revoked={"user1/": "blocked"}).serving() as hub:
        await culler.look(hub)
        culler.revocations._since["user1/"] -= HOUR
        hub.revoked = {"user0/": None, "user1/": None}
        await culler.look(hub)
        assert hub.stopped == []
        hub.revoked = {"user0/": "blocked", "user1/": "blocked"}
        hub.fault = lambda method, path, count: (
            hub.revoked.update({"user1/": None}) if path == "/jhext/revoked?user=user1" else None
        )
        await culler.look(hub)
        assert hub.stopped == []
        hub.fault = lambda method, path, count: None
        hub.revoked["user1/"] = "blocked"
        await culler.look(hub)
        assert hub.stopped == ["user1/"]


async def test_a_lost_right_beside_an_idle_server_that_stays() -> None:
    """The handler lists only the idle one of the two, and then the other is asked for."""
    culler = Culler(revoked_after=1, profiles={"lab": {"never": True}})
    users = {"ann": {"": running(9e3, profile="lab"), "gpu": running(profile="gpu")}}
    async with FakeHub(users, revoked={"ann/gpu": "x"}, tells_idle=True).serving() as hub:
        hub.fault = lambda method, path, count: 403 if path == "/jhext/idle?user=ann" else None
        seen = await culler.look(hub)
        assert (seen.whole, +seen.counts) == (False, {("keep", Why.NEVER): 1})
        culler.revocations._since["ann/gpu"] -= 1
        hub.fault = lambda method, path, count: None
        seen = await culler.look(hub)
        assert (seen.whole, seen.counts.total()) == (True, 2)
        assert hub.stopped == ["ann/gpu"]


async def test_rights_are_not_judged_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the hub long where many run something; a stop goes by what holds then."""
    monkeypatch.setattr(work_module, "_TIMES_AS_LONG", 1e9)
    culler = Culler(revoked_after="1h", never=True)
    async with FakeHub(crowd(2, idle=5), revoked={"user0/": "x"}).serving() as hub:

        def asked() -> int:
            return hub.asked.count(("GET", "/jhext/revoked"))

        await culler.look(hub)
        assert len((await culler.look(hub)).revoked) == asked() == 1
        assert culler.revocations.known_until < time.monotonic() + HOUR / 4
        hub.revoked = {}
        culler.revocations._since["user0/"] -= HOUR
        await culler.look(hub)
        assert (hub.stopped, culler.outcomes(), asked()) == ([], {"permitted_again": 1}, 1)
        culler.revocations.known_until -= HOUR
        assert len((await culler.look(hub)).revoked) == 0
        assert asked() == 2


async def test_many_lost_rights_are_few_requests() -> None:
    """In their grace the servers of all of them are looked at in every pass."""
    users = {f"user {n}": {"": running()} for n in range(120)}
    lost: dict[str, str | None] = {f"{name}/": "x" for name in users}
    culler = Culler(revoked_after="1h")
    async with FakeHub(users, revoked=lost, tells_idle=True).serving() as hub:
        seen = await culler.look(hub)
        assert len([path for method, path in hub.asked if method == "GET"]) == 6
        assert (len(seen.revoked), seen.counts.total()) == (120, 120)


async def test_a_lost_right_is_the_reason_also_of_an_idle_server() -> None:
    """So that nothing that holds against idleness holds against it."""
    culler = Culler(revoked_after=1)
    async with FakeHub({"bob": {"": running(2 * HOUR)}}, revoked={"bob/": "x"}).serving() as hub:
        await culler.look(hub, act=False)
        culler.revocations._since["bob/"] -= 1
        assert +(await culler.look(hub)).counts == {("stop", Why.REVOKED): 1}


async def test_without_the_handler_nobody_is_known_to_have_lost_a_right() -> None:
    culler = Culler(revoked_after=1)
    async with FakeHub(crowd(3, idle=5)).serving() as hub:
        hub.users.pop("user0")
        await culler.look(hub)
        assert hub.stopped == []


async def test_people_without_a_server(caplog: Any) -> None:
    """Without the scopes for it they stay, which keeps no server from being stopped."""
    culler = Culler(cull_users=True, groups={"staff": {"cull_users": False}})
    users: dict[str, Any] = {"a?b": {}, "kept": {}, "busy": {"": running(9), "idle": running(9e3)}}
    async with FakeHub(users, groups={"kept": ["staff"]}).serving() as hub:
        hub.scopes.append("delete:users")
        assert (await culler.look(hub)).lacks == {"read:users:activity"}
        assert hub.stopped == ["busy/idle"]
        assert len(hub.users) == 3
        assert "lacks the scopes read:users:activity" in caplog.text
        hub.scopes += ["delete:users", "read:users:activity"]
        await culler.look(hub)
        assert sorted(hub.users) == ["busy", "kept"]


@pytest.mark.parametrize(
    ("shown", "is_deleted"),
    [({"servers": {}}, True), ({}, False), ({"servers": {"": running(9e3)}}, False)],
)
def test_whoever_may_have_a_server_is_not_deleted(shown: dict[str, Any], is_deleted: bool) -> None:
    culler = Culler(cull_users=True)
    culler.clock.set(NOW, time.monotonic())
    judge = Judge(culler.rules, culler.clock, culler.revocations, Usage(None, culler.rules))
    user = {"name": "bob", "groups": [], "admin": False, "last_activity": stamp(0), **shown}
    assert (judge.judge_user({**user}) is not None) is is_deleted


async def test_nothing_is_begun_after_the_end() -> None:
    culler = Culler()
    culler.end.set()
    async with FakeHub(crowd(3, idle=1)).serving() as hub:
        await culler.look(hub)
        assert hub.stopped == []


async def test_the_token_is_not_in_the_log(caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakeHub(crowd(2, idle=1)).serving() as hub:
        hub.fault = lambda method, path, count: 500 if method == "DELETE" else None
        await Culler().look(hub)
    assert "cull-outcome" in caplog.text
    assert "secret" not in caplog.text
