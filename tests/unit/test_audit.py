"""One event for every decision, through JupyterHub's event log and the log."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from jupyter_events import EventLogger
from traitlets.config import Config

from jhext import audit
from jhext.errors import SpawnRefused
from jhext.refusal import Reason, Refusal
from jhext.storage.projects import Acting

PROFILES = [
    {"display_name": "Small", "slug": "small", "allowed_groups": ["lab"]},
    {"display_name": "Hidden", "slug": "hidden", "allowed_users": ["root"]},
]


class Handler:
    """As much of a request handler as refers to the event log."""

    def __init__(self, stream: io.StringIO) -> None:
        handler = logging.StreamHandler(stream)
        config = Config({"EventLogger": {"handlers": [handler]}})
        self.settings = {"eventlog": EventLogger(config=config), "failure_count": 0}

    def set_status(self, status_code: int) -> None:
        """Take the status that JupyterHub 5.3 is told."""


def event(outcome: Any = None, **changes: Any) -> dict[str, str]:
    arguments: dict[str, Any] = {
        "user": "ann",
        "server": "",
        "user_options": {"profile": "small"},
        "outcome": outcome or Refusal(Reason.PROFILE, "No.", detail="why", rule="no rule"),
        "acting": Acting(),
        "groups_managed": False,
        "policy": "abc",
    }
    return audit.decision_event(**arguments | changes)


def test_refusal() -> None:
    assert event() == {
        "user": "ann",
        "server": "",
        "asked": "small",
        "profile": "",
        "decision": "refused",
        "rule": "no rule",
        "reason": "profile",
        "detail": "why",
        "groups_source": "hub",
        "policy": "abc",
    }


@pytest.mark.parametrize(
    ("user_options", "asked"),
    [
        (None, ""),
        ({}, ""),
        ("small", ""),
        (["small"], ""),
        ({"profile": None}, ""),
        ({"profile": ["small"]}, "<list>"),
        ({"profile": {"token": "secret"}}, "<dict>"),
        ({"profile": object()}, "<object>"),
        ({"profile": "p" * 80}, "p" * 80),
        ({"profile": "p" * 5000}, "p" * 79 + "…"),
        ({"profile": "small", "token": "secret"}, "small"),
    ],
)
def test_of_the_options_only_the_profile_is_told(user_options: Any, asked: str) -> None:
    told = event(user_options=user_options)
    assert told["asked"] == asked
    assert "secret" not in repr(told)


def test_source_of_groups() -> None:
    assert event(groups_managed=True)["groups_source"] == "authenticator"


async def decide(spawner: Any, options: Any) -> str:
    spawner.user_options = options
    try:
        await spawner.load_user_options()
    except SpawnRefused as refused:
        return str(refused.reason)
    return "allowed"


@pytest.mark.parametrize(
    ("options", "reason", "profile", "rule"),
    [
        ({}, "", "small", "allowed_groups: lab"),
        ({"profile": "hidden"}, "profile", "", "no rule"),
        ({"profile": "gone\n\x1b[31m"}, "profile", "", ""),
        ({"profile": "small", "x": 1}, "options", "", ""),
        ([], "options", "", ""),
    ],
)
async def test_every_decision_is_logged_and_emitted(
    make_spawner: Any,
    caplog: pytest.LogCaptureFixture,
    options: Any,
    reason: str,
    profile: str,
    rule: str,
) -> None:
    stream = io.StringIO()
    spawner = make_spawner(PROFILES, groups=["lab"], name="big")
    spawner.handler = Handler(stream)
    caplog.set_level("INFO")
    assert await decide(spawner, options) == (reason or "allowed")
    (record,) = (r for r in caplog.records if "spawn-decision" in r.getMessage())
    assert record.levelname == ("WARNING" if reason else "INFO")
    line = record.getMessage()
    assert line.isprintable()
    logged = json.loads(line.removeprefix("spawn-decision "))
    emitted = json.loads(stream.getvalue())
    assert {key: emitted[key] for key in logged} == logged
    assert emitted["__schema__"] == audit.SCHEMA_ID
    assert (logged["profile"], logged["reason"], logged["rule"]) == (profile, reason, rule)
    assert (logged["user"], logged["server"]) == ("ann", "big")
    assert logged["policy"]


async def test_schema_is_registered_once(make_spawner: Any) -> None:
    stream = io.StringIO()
    handler = Handler(stream)
    for _ in range(3):
        spawner = make_spawner(PROFILES, groups=["lab"])
        spawner.handler = handler
        assert await decide(spawner, {}) == "allowed"
    assert len(stream.getvalue().splitlines()) == 3


async def test_d05_bypass_is_logged(make_spawner: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    spawner = make_spawner(PROFILES, admin=True, admin_bypass=True)
    assert await decide(spawner, {"profile": "hidden"}) == "allowed"
    assert '"rule": "admin_bypass"' in caplog.text


async def test_d05_rules_of_choices_are_logged(
    make_spawner: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Also a bypass by which only a choice was had."""
    caplog.set_level("INFO")
    options = {
        "size": option(xl={"allowed_groups": ["big"]}),
        "image": option({"allowed_groups": ["lab"]}),
        "zone": option(a={}),
    }
    profiles = [{"display_name": "P", "allowed_groups": ["lab"], "profile_options": options}]
    asked = {"profile": "p", "image--unlisted-choice": "x"}
    rules = {
        (
            "lab",
            "big",
        ): "allowed_groups: lab; size: allowed_groups: big; image: allowed_groups: lab",
        ("lab",): "admin_bypass; size: admin_bypass; image: admin_bypass",
    }
    for groups, rule in rules.items():
        admin = "big" not in groups
        spawner = make_spawner(profiles, groups=groups, admin=admin, admin_bypass=admin)
        assert await decide(spawner, asked) == "allowed"
        assert f'"rule": "{rule}"' in caplog.text


def option(unlisted: Any = None, /, **choices: Any) -> dict[str, Any]:
    return {
        "display_name": "O",
        "choices": {key: {"display_name": key, **rules} for key, rules in choices.items()},
        "unlisted_choice": {"enabled": unlisted is not None, **(unlisted or {})},
    }
