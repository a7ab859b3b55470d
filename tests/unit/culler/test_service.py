"""The service: pass after pass, with the rules as they are now, until it is asked to end."""

from __future__ import annotations

import asyncio
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from rich.console import Console

from jhext.culler import clock as clock_module
from jhext.culler import service as service_module
from jhext.culler.policy import Rules
from jhext.culler.service import Service, interval, tls_of
from jhext.culler.settings import CullerSettings
from jhext.culler.source import ENVIRONMENT, File, Given, Source
from jhext.profiles.finding import ConfigurationError
from tests.unit.culler.fake_hub import FakeHub, running

HOUR = 3600


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "_LOOK_AT_SETTINGS", 0.05)
    monkeypatch.setattr(clock_module, "HEARD", 0.0)


@asynccontextmanager
async def started(source: Source, hub: FakeHub) -> AsyncIterator[Service]:
    service = Service(source, hub.url, "secret")
    task = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        service.end()
        await asyncio.wait_for(task, 20)


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)


def given(**rules: Any) -> Given:
    return Given(json.dumps(rules))


async def test_rules_that_change_hold_at_once_and_faulty_ones_never(
    tmp_path: Path, caplog: Any
) -> None:
    path = tmp_path / "jhext.yaml"
    path.write_text("profiles: 5\nculler: {timeout: 9h, cull_every: 1h}\n")
    async with FakeHub({"bob": {"": running(2 * HOUR)}}).serving() as hub:
        async with started(File(path), hub):
            await until(lambda: hub.asked)
            path.write_text("culler: {timeout: 0}\n")
            await until(lambda: "faulty" in caplog.text)
            assert "culler.timeout" in caplog.text
            assert hub.stopped == []
            path.write_text("culler: {timeout: 1h, cull_every: 1h}\n")
            await until(lambda: hub.stopped)
        assert hub.stopped == ["bob/"]


async def test_a_hub_that_is_away_ends_nothing() -> None:
    async with FakeHub({"bob": {"": running(2 * HOUR)}}).serving() as hub:
        away = True
        hub.fault = lambda method, path, count: 503 if away else None
        async with started(given(timeout="1h", cull_every=0.05), hub) as service:
            await until(lambda: len(hub.asked) > 12)
            away = False
            await until(lambda: hub.stopped)
            assert 'outcome="failed"' in told(service)


async def test_after_a_long_outage_nobody_who_works_is_taken_for_idle(monkeypatch: Any) -> None:
    """Until servers have told the hub, which is new, or is back, all that it knows is old."""
    users = {
        "works": {"": running(2 * HOUR)},
        "idle": {"": running(2 * HOUR)},
        "old": {"": running(2 * HOUR, age=9 * HOUR)},
    }
    async with FakeHub(users).serving() as hub:
        monkeypatch.setattr(clock_module, "HEARD", 360.0)
        rules = given(timeout="1h", cull_every=0.05, users={"old": {"max_age": "5h"}})
        async with started(rules, hub) as service:
            for _ in range(2):
                await until(lambda: 'verdict="keep",why="unknown"} 2.0' in told(service))
                await until(lambda: hub.stopped == ["old/"])
                clock = service._memory.clock
                users["works"] = {"": running(9)}
                clock._back_at -= 360
                await until(lambda: "idle/" in hub.stopped)
                assert hub.stopped == ["old/", "idle/"]

                # Away for so long that everybody seems idle.
                hub.fault = lambda method, path, count: 403
                await until(lambda: service._memory.clock._is_away)
                users |= {name: {"": running(2 * HOUR)} for name in ("works", "idle")}
                del hub.stopped[1:]
                clock._read_at -= 2 * HOUR
                hub.fault = lambda method, path, count: None


def told(service: Service) -> str:
    from prometheus_client import generate_latest  # noqa: PLC0415 - only here

    return generate_latest(service.metrics.registry).decode()


async def test_passes_never_overlap() -> None:
    users = {f"user{n}": {"": running(2 * HOUR)} for n in range(3)}
    async with (
        FakeHub(users, seconds_per_stop=0.5).serving() as hub,
        started(given(cull_every=0.01), hub) as service,
    ):
        await until(lambda: len(hub.stopped) == 3)
        begun = [n for n, (_, path) in enumerate(hub.asked) if path == "/user"]
        last_stop = max(n for n, (method, _) in enumerate(hub.asked) if method == "DELETE")
        assert all(n == 0 or n > last_stop for n in begun)
        await until(lambda: 'passes_total{outcome="whole"}' in told(service))


async def test_what_is_being_stopped_is_finished_at_the_end() -> None:
    users = {f"user{n}": {"": running(2 * HOUR)} for n in range(9)}
    async with FakeHub(users, seconds_per_stop=0.5).serving() as hub:
        async with started(given(concurrency=2), hub):
            await until(lambda: hub.most_stops == 2)
        assert len(hub.stopped) == 2


async def test_without_a_port_for_metrics_it_goes_on(caplog: Any) -> None:
    async with FakeHub({"bob": {"": running(2 * HOUR)}}).serving() as hub:
        port = int(hub.url.split(":")[2].partition("/")[0])
        async with started(given(metrics_port=port), hub):
            await until(lambda: hub.stopped)
    assert "There are no metrics" in caplog.text


async def test_a_dry_run_tells_and_stops_nothing() -> None:
    users = {"bob": {"": running(2 * HOUR, profile="lab")}, "eve": {"": running(9)}}
    async with FakeHub(users).serving() as hub:
        output = io.StringIO()
        console = Console(file=output, width=120)
        assert await Service(given(timeout="1h"), hub.url, "secret").dry_run(console) == 0
        assert hub.stopped == []
        assert "culler.timeout is 1h" in output.getvalue()
        assert "bob" in output.getvalue()
        assert "1 would go, 1 others were looked at" in output.getvalue()
        deletes = given(timeout="1h", cull_users=True)
        assert await Service(deletes, hub.url, "secret").dry_run(console) == 1
        assert hub.stopped == []
        hub.scopes.remove("delete:servers")
        assert await Service(given(), hub.url, "secret").dry_run(console) == 1
        assert "delete:servers" in output.getvalue()


async def test_no_name_is_a_line_of_its_own(caplog: Any) -> None:
    """Not in the log, and not on a terminal, which would obey it: older hubs take any name."""
    name = "a\x1b[2J\nb\u202e"
    servers = {name: running(2 * HOUR), f"{name}?": {**running(), "started": "yesterday"}}
    async with FakeHub({"bob": servers}).serving() as hub:
        output = io.StringIO()
        service = Service(given(timeout="1h"), hub.url, "secret")
        assert await service.dry_run(Console(file=output, width=190)) == 1
        hub.fault = lambda method, path, count: 400 if method == "DELETE" else None
        await service.run_pass(service.read())
    assert r"a\x1b[2J\nb\u202e" in output.getvalue()
    assert r"bob/a\x1b[2J\nb\u202e is not stopped" in caplog.text
    assert not {"\x1b", "\u202e"} & {*caplog.text, *output.getvalue()}
    assert "[2J\nb" not in caplog.text


async def test_a_dry_run_tells_of_rights_that_have_ended() -> None:
    """It has not seen for how long, so that it stops nobody for it; whoever is idle goes anyway."""
    users = {
        "bob": {"": running(2 * HOUR, profile="lab")},
        "eve": {"": running(9, profile="lab"), "gpu": running(9, profile="gpu")},
        "dora": {"": running(59 * 60, profile="lab")},
        "fay": {"": running(9, profile="lab")},
    }
    lost = dict.fromkeys(("bob/", "eve/gpu", "dora/"), "blocked_users")
    async with FakeHub(users, revoked=lost).serving() as hub:
        output = io.StringIO()
        service = Service(given(timeout="1h", revoked_after="10m"), hub.url, "secret")
        assert await service.dry_run(Console(file=output, width=190)) == 0
        assert hub.stopped == []
    lines = [line for line in output.getvalue().splitlines() if "lab" in line or "gpu" in line]
    later = "the right to it has ended: blocked_users; it would be stopped 10m after the service"
    assert {line.split()[1]: later in line for line in lines} == {
        "bob": False,
        "eve": True,
        "dora": True,
    }
    assert "1 would go, 2 for want of a right later, 2 others" in output.getvalue()


async def test_faulty_rules_at_the_beginning_end_it() -> None:
    with pytest.raises(ConfigurationError, match=r"culler\.users\.bob\.timeout"):
        await Service(given(users={"bob": {"timeout": "soon"}}), "http://127.0.0.1:1", "x").run()


@pytest.mark.parametrize(
    ("rules", "seconds"),
    [
        ({"timeout": "10m"}, 300),
        ({"timeout": "1s"}, 1),
        ({"timeout": "9h"}, 600),
        ({"never": True}, 600),
        ({"never": True, "groups": {"a": {"max_age": "1m"}}}, 30),
        ({"never": True, "revoked_after": "10s"}, 5),
        ({"timeout": "9h", "users": {"bob": {"warn_before": "2m"}}}, 60),
        ({"timeout": "1s", "cull_every": "20m"}, 1200),
    ],
)
def test_interval(rules: dict[str, Any], seconds: float) -> None:
    assert interval(Rules(CullerSettings(**rules))) == seconds


def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_SSL_CERTFILE", raising=False)
    assert tls_of(CullerSettings()) is None
    authority = trustme.CA()
    certificate = authority.issue_cert("hub")
    folder = tmp_path / "hub-internal"
    folder.mkdir()
    certificate.private_key_pem.write_to_path(folder / "hub-internal.key")
    certificate.cert_chain_pems[0].write_to_path(folder / "hub-internal.crt")
    authority.cert_pem.write_to_path(tmp_path / "hub-ca_trust.crt")
    settings = CullerSettings(ssl_enabled=True, internal_certs_location=str(tmp_path))
    assert tls_of(settings) is not None
    with pytest.raises(OSError, match="No such file"):
        tls_of(CullerSettings(ssl_enabled=True, internal_certs_location=str(tmp_path / "no")))
    assert math.isinf(settings.max_age)


def test_the_command_says_what_it_lacks() -> None:
    env = {key: value for key, value in os.environ.items() if key != ENVIRONMENT}
    command = [sys.executable, "-m", "jhext.culler", "--dry-run"]
    for more, message in (
        ({}, "JUPYTERHUB_API_TOKEN is not set"),
        ({"JUPYTERHUB_API_TOKEN": "secret"}, "neither --settings nor"),
    ):
        done = subprocess.run(command, env=env | more, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert message in done.stderr
        assert "secret" not in done.stderr
