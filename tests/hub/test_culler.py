"""Servers in a real hub are stopped or left exactly as their rules say."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientConnectorError

from jhext.culler.work import BASE_SCOPES
from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from jhext.demo.processes import free_port
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub
from tests.unit.culler.fake_prometheus import FakePrometheus, vector

ADA = Account(name="ada", uid=3000, admin=True)
NAMES = ("alice", "bob", "carol", "dora", "erin", "frank")
PEOPLE = [
    Account(name=name, uid=3001 + n, groups=["long"] if name == "dora" else [])
    for n, name in enumerate(NAMES)
]
STARTS = {
    "alice/": "quick",
    "bob/": "slow",
    "carol/": "kept",
    "dora/": "quick",
    "erin/": "slow",
    "erin/temp": "slow",
    "frank/": "granted",
}
PORT = free_port()


def settings() -> dict[str, Any]:
    profiles: list[dict[str, Any]] = [
        {"slug": slug, "display_name": slug, "allow_all": True}
        for slug in ("quick", "slow", "kept")
    ]
    profiles.append({"slug": "granted", "display_name": "granted", "allowed_users": ["frank"]})
    culler = {
        "timeout": "1h",
        "cull_every": "1s",
        "revoked_after": "2s",
        "metrics_port": PORT,
        "profiles": {
            "quick": {"timeout": "3s"},
            "slow": {"timeout": "10m"},
            "kept": {"never": True},
            "granted": {"never": True},
        },
        "groups": {"long": {"timeout": "20m"}},
        "servers": {
            "temp": {"timeout": "4s", "remove_named_servers": True},
            "put-off": {"timeout": "10m", "extend_to": "24h"},
        },
    }
    return {"profiles": profiles, "culler": culler}


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub([*PEOPLE, ADA], settings(), "c.DemoAuthenticator.manage_groups = True\n")


@pytest.fixture(autouse=True)
async def _leave_nothing(bench: Bench) -> AsyncIterator[None]:
    """Let each test find its hub without servers and with the rules of the beginning."""
    yield
    change(bench, settings())
    async with bench.browser("ada") as admin:
        for full_name in await running(admin):
            user, _, server = full_name.partition("/")
            await admin.stop_server(user, server)


def change(bench: Bench, written: dict[str, Any]) -> None:
    path = bench.accounts_file.with_name("jhext.yaml")
    fresh = path.with_suffix(".new")
    fresh.write_text(yaml.safe_dump(written, sort_keys=False))
    fresh.replace(path)


async def running(admin: HubClient, query: str = "") -> set[str]:
    users = (await admin.api("GET", f"/users{query}")).json()
    return {f"{user['name']}/{name}" for user in users for name in user["servers"]}


async def until(
    condition: Callable[[set[str]], bool], admin: HubClient, seconds: float, query: str = ""
) -> None:
    end = time.monotonic() + seconds
    while not condition(now := await running(admin, query)):
        assert time.monotonic() < end, now
        await asyncio.sleep(0.3)


async def logged(bench: Bench, before: int, expected: dict[str, str]) -> None:
    """Wait until the log tells since ``before`` which servers were stopped, why, and no others."""
    end = time.monotonic() + 10
    while (told := outcomes(bench.log[before:])) != expected:
        assert time.monotonic() < end, told
        await asyncio.sleep(0.2)


def outcomes(log: str) -> dict[str, str]:
    found = re.findall(r"cull-outcome (\{.*\})$", log, re.MULTILINE)
    events = [json.loads(event) for event in found]
    done = [event for event in events if event["outcome"] in ("stopped", "stopping")]
    return {f"{event['user']}/{event['server']}": event["why"] for event in done}


async def token_for(admin: HubClient, scopes: list[str]) -> str:
    answer = await admin.api("POST", "/users/ada/tokens", {"scopes": scopes})
    token: str = answer.json()["token"]
    return token


async def dry_run(bench: Bench, token: str, path: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jhext.culler", "--dry-run", f"--settings={path}"),
        f"--url={bench.hub.url}/hub/api",
        env={**os.environ, "JUPYTERHUB_API_TOKEN": token, "COLUMNS": "160"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()


async def stops() -> Counter[str]:
    """How many servers the metrics say were stopped, by why."""
    told = ""
    async with asyncio.timeout(30), HubClient(f"http://127.0.0.1:{PORT}") as client:
        while not told:
            try:
                told = (await client.get("/metrics")).text
            except ClientConnectorError:  # the hub has just started it
                await asyncio.sleep(0.1)
    counted: Counter[str] = Counter()
    for why, number in re.findall(
        r'jhext_culler_stops_total\{outcome="stop\w+",why="(\w+)"\} ([\d.]+)', told
    ):
        counted[why] += int(float(number))
    return counted


async def start(bench: Bench, full_name: str, profile: str) -> None:
    user, _, server = full_name.partition("/")
    async with bench.program(user) as program:
        path = f"/users/{user}/" + (f"servers/{server}" if server else "server")
        answer = await program.api("POST", path, {"profile": profile})
        assert answer.status in (201, 202), answer.text


@pytest.mark.timeout(300)
async def test_d46_each_server_by_its_rule(bench: Bench, tmp_path: Path) -> None:
    """A profile of seconds, of minutes, never; a group; D-46: a named server; a lost right."""
    before, stopped = len(bench.log), await stops()
    await asyncio.gather(*(start(bench, name, profile) for name, profile in STARTS.items()))
    async with bench.browser("ada") as admin:
        stays = STARTS.keys() - {"alice/", "erin/temp"}
        await until(lambda now: now == stays, admin, 60)
        expected = {"alice/": "idle", "erin/temp": "idle"}
        await logged(bench, before, expected)
        await until(lambda now: "erin/temp" not in now, admin, 30, "?include_stopped_servers=1")

        # The same rules, asked from elsewhere: what it says is what then happens.
        token = await token_for(admin, sorted(BASE_SCOPES))
        written = settings()
        written["culler"]["profiles"]["slow"] = {"timeout": "1s"}
        path = tmp_path / "jhext.yaml"
        path.write_text(yaml.safe_dump(written))
        code, printed = await dry_run(bench, token, path)
        assert code == 0, printed
        listed = set(re.findall(r"(\w+) .* slow .* idle .*profiles\.slow\.timeout is 1s", printed))
        assert listed == {"bob", "erin"}
        assert "dora" not in printed
        assert await running(admin) == stays

        change(bench, written)
        await until(lambda now: now == {"carol/", "dora/", "frank/"}, admin, 30)
        expected |= {"bob/": "idle", "erin/": "idle"}
        await logged(bench, before, expected)

        # Frank's server is never culled; but then nobody may have it any more.
        written["profiles"][-1]["allowed_users"] = ["somebody"]
        grace = {**written, "culler": {**written["culler"], "revoked_after": "9m"}}
        change(bench, grace)
        path.write_text(yaml.safe_dump(grace))
        code, printed = await dry_run(bench, token, path)
        assert code == 0, printed
        assert re.search(r"frank .* revoked .* the right to it has ended: no rule", printed)
        assert "0 would go, 1 for want of a right later, 2 others" in printed
        assert "frank/" in await running(admin)
        change(bench, written)
        await until(lambda now: now == {"carol/", "dora/"}, admin, 30)
        await logged(bench, before, {**expected, "frank/": "revoked"})

        assert await stops() - stopped == {"idle": 4, "revoked": 1}


async def test_a_gpu_that_is_busy_and_one_that_is_wasted(bench: Bench) -> None:
    """The culler asks for the pods by the names that the hub says."""
    asked = {
        'busy{pod="jupyter-bob--gpu",namespace="default",user="bob",server="gpu"}': vector("1"),
        'busy{pod="jupyter-erin--gpu",namespace="default",user="erin",server="gpu"}': vector("0"),
        'wasted{pod="jupyter-frank--cpu"}': vector("1"),
    }
    async with (
        FakePrometheus(lambda query: asked.get(query, 400)).serving() as prometheus,
        bench.browser("ada") as admin,
    ):
        names = {"bob/gpu", "erin/gpu", "frank/cpu", "carol/cpu"}
        await asyncio.gather(*(start(bench, name, "kept") for name in names))
        await until(lambda now: names <= now, admin, 60)
        written = settings()
        written["culler"]["prometheus"] = {"url": prometheus.url}
        written["culler"]["servers"] |= {
            "gpu": {
                "timeout": "1s",
                "busy_if": "busy{pod=$pod,namespace=$namespace,user=$user,server=$server}",
            },
            "cpu": {"wastes_if": "wasted{pod=$pod}", "wastes_after": "1s"},
        }
        before = len(bench.log)
        change(bench, written)
        await until(lambda now: now == {"bob/gpu", "carol/cpu"}, admin, 30)
        # Both go on to be asked about, and stay.
        prometheus.asked.clear()
        async with asyncio.timeout(20):
            while len({query for query, _ in prometheus.asked}) < 2:  # noqa: ASYNC110 - it is asked
                await asyncio.sleep(0.2)
        assert await running(admin) == {"bob/gpu", "carol/cpu"}
        found = re.findall(r"cull-outcome (\{.*\})$", bench.log[before:], re.MULTILINE)
        assert {json.loads(event)["why"] for event in found} == {"idle", "waste"}


async def test_exactly_the_documented_scopes(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "jhext.yaml"
    path.write_text(yaml.safe_dump(settings()))
    async with bench.browser("ada") as admin:
        for missing in ("", *sorted(BASE_SCOPES)):
            token = await token_for(admin, sorted(BASE_SCOPES - {missing}))
            code, printed = await dry_run(bench, token, path)
            assert code == (1 if missing else 0), printed
            assert missing in printed


async def test_putting_off_the_stop(bench: Bench) -> None:
    """Whoever may use a server learns when it ends, and puts it off as far as the rule lets."""
    path = "/jhext/servers/carol/put-off"
    await start(bench, "carol/put-off", "slow")
    async with bench.browser("ada") as admin, bench.program("carol") as carol:
        await until(lambda now: "carol/put-off" in now, admin, 30)
        await carol.wait_for_server("carol", "put-off")
        before = (await carol.api("GET", path)).json()
        assert before["rule"] == "servers.put-off.timeout is 10m"
        assert 500 < before["seconds_left"] <= 600
        after = (await carol.api("POST", path, {"for": "2h"})).json()
        assert after["why"] == "extended"
        assert 7100 < after["seconds_left"] <= 7200
        most = (await carol.api("POST", path, {"for": "30d"})).json()
        assert most["at"] == most["can_be_put_off_until"]
        assert (await carol.api("POST", path, {"for": "long"})).status == 400
        model = await admin.server("carol", "put-off")
        assert model
        assert model["state"]["jhext"]["extended_until"] > time.time() + 80_000
        async with bench.program("bob") as bob:
            assert (await bob.api("GET", path)).status in (403, 404)
        assert (await carol.api("GET", "/jhext/servers/carol/no")).status == 404


async def test_a_notice_of_a_stop_that_is_near(bench: Bench) -> None:
    """The culler sets it; it is told with the time left and why, and goes when it is put off."""
    path = "/jhext/servers/carol/warned"
    await start(bench, "carol/warned", "slow")
    async with bench.browser("ada") as admin, bench.program("carol") as carol:
        await carol.wait_for_server("carol", "warned")
        assert (await carol.api("GET", path)).json()["notice"] is None
        written = settings()
        written["culler"]["servers"]["warned"] = {
            "timeout": "10m",
            "extend_to": "24h",
            "warn_before": "15m",
        }
        change(bench, written)
        told = await told_about(carol, path, lambda told: told["notice"] is not None)
        assert told["notice"]["why"] == told["why"] == "idle"
        assert told["notice"]["rule"] == "servers.warned.timeout is 10m"
        assert told["notice"]["at"] == told["at"]
        assert 500 < told["seconds_left"] <= 600
        model = await admin.server("carol", "warned")
        assert model
        assert model["state"]["jhext"]["notice"]["why"] == "idle"
        assert re.search(r'cull-notice .*"server": "carol/warned"', bench.log)

        # Put off for longer than the notice is early.
        after = (await carol.api("POST", path, {"for": "2h"})).json()
        assert (after["notice"], after["why"]) == (None, "extended")
        model = await admin.server("carol", "warned")
        assert model
        assert "notice" not in model["state"]["jhext"]

        # Whoever loses the right is told, whatever was put off, and cannot put it off.
        written["culler"]["revoked_after"] = "14m"
        written["profiles"][1]["blocked_users"] = ["carol"]
        change(bench, written)
        told = await told_about(carol, path, lambda told: told["notice"] is not None)
        assert told["why"] == told["notice"]["why"] == "revoked"
        assert 700 < told["seconds_left"] <= 840
        assert told["can_be_put_off_until"] is None
        assert (await carol.api("POST", path, {"for": "2h"})).status == 403

        change(bench, settings())
        await told_about(carol, path, lambda told: told["notice"] is None)


async def told_about(
    program: HubClient, path: str, condition: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Wait for what somebody is told of the end of their server."""
    end = time.monotonic() + 20
    while not condition(told := (await program.api("GET", path)).json()):
        assert time.monotonic() < end, told
        await asyncio.sleep(0.3)
    return told


@pytest.mark.hub_versions
async def test_whoever_may_set_notices(bench: Bench) -> None:
    await start(bench, "bob/noticed", "kept")
    path, notice = "/jhext/notices", {"at": time.time() + 60, "why": "idle", "rule": "x"}
    async with bench.browser("ada") as admin, bench.program("bob") as bob:
        await bob.wait_for_server("bob", "noticed")
        assert (await bob.api("PUT", path, {"bob/noticed": notice})).status == 403
        for body in ([], {"bob/noticed": {"at": 1}}, {"bob/noticed": {**notice, "at": "x"}}):
            assert (await admin.api("PUT", path, body)).status == 400
        assert (await admin.api("PUT", path, {"nobody/": notice})).status == 204
        only = await token_for(admin, ["admin:server_state!user=carol", "list:users"])
        async with HubClient(bench.hub.url, only) as program:
            assert (await program.api("PUT", path, {"bob/noticed": notice})).status in (204, 403)
        model = await admin.server("bob", "noticed")
        assert model
        assert "notice" not in model["state"]["jhext"]


@pytest.mark.hub_versions
async def test_handlers_answer_as_the_rest_api_does(bench: Bench) -> None:
    """They show the same to whoever asks, and nothing to whom it does not."""
    await start(bench, "bob/lab", "kept")
    async with bench.browser("ada") as admin:
        await until(lambda now: "bob/lab" in now, admin, 30)
        for scopes, seen in (
            (["list:users", "read:servers", "admin:server_state", "read:users:groups"], None),
            (["list:users!user=bob", "read:servers", "read:users:groups!user=ada"], {"bob"}),
            (["list:users", "read:servers!server=bob/lab"], None),
        ):
            async with HubClient(bench.hub.url, await token_for(admin, scopes)) as program:
                page = (await program.api("GET", "/users?state=active")).json()
                idle = (await program.api("GET", "/jhext/idle?timeout=0")).json()
                told = {user["name"]: user for user in idle}
                shown = {user["name"]: user for user in page}
                assert told.keys() == shown.keys()
                assert seen is None or told.keys() == seen
                for name in ("ada", "bob", "carol", "nobody"):
                    alone = (await program.api("GET", f"/jhext/idle?user={name}")).json()
                    assert alone == ([told[name]] if name in told else [])
                both = (await program.api("GET", "/jhext/idle?user=bob&user=nobody")).json()
                assert both == [told["bob"]]
                for name, user in told.items():
                    assert user.get("groups") == shown[name].get("groups")
                    for server, model in user["servers"].items():
                        expected = shown[name]["servers"][server]
                        assert model == {key: expected[key] for key in model}
                        assert ("state" in model) == ("state" in expected)
        for path in ("/jhext/idle?timeout=0", "/jhext/revoked"):
            nobody = await token_for(admin, ["read:hub"])
            async with HubClient(bench.hub.url, nobody) as program:
                assert (await program.api("GET", path)).status == 403
            answer = await admin.api("GET", "/jhext/idle?timeout=x")
            assert answer.status == 400
        # Longer than time itself; of shorter limits that were granted nothing is missed for it.
        answer = await admin.api("GET", "/jhext/idle?timeout=1e300&max_age=inf")
        assert answer.status == 200
