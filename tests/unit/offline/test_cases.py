"""Files of cases: read strictly, and a case passes only for the reason it names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jhext.offline.cases import Case, Result, read_cases
from jhext.offline.verdict import Verdict
from jhext.profiles.access import Decision
from jhext.profiles.finding import ConfigurationError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cases.yaml"
    path.write_text(text)
    return path


def test_everything_that_a_case_can_say(tmp_path: Path) -> None:
    cases = read_cases(
        written(
            tmp_path,
            """
configuration: ../hub/jhext.yaml
cases:
  - {user: ada, expect: allowed}
  - name: in term only
    user: bob
    groups: [lab]
    admin: true
    claims: {level: 3}
    server: second
    at: 2026-10-01T09:00:00+02:00
    profile: gpu
    options: {size: large}
    expect: refused
    because: blocked
""",
        )
    )
    assert cases.configuration == tmp_path / "../hub/jhext.yaml"
    assert [line for line, _ in cases.cases] == [4, 5]
    case = cases.cases[1][1]
    person = case.person
    assert (person.user, person.groups, person.admin) == ("bob", {"lab"}, True)
    assert (person.server_name, person.claims) == ("second", {"level": 3})
    assert person.now == datetime(2026, 10, 1, 7, tzinfo=UTC)
    assert case.user_options == {"profile": "gpu", "size": "large"}
    assert cases.cases[0][1].user_options == {}


@pytest.mark.parametrize("at", ["2026-10-01", "'2026-10-01'", "2026-10-01T00:00:00Z"])
def test_a_day_begins_at_midnight_of_utc(tmp_path: Path, at: str) -> None:
    case = f"cases:\n- {{user: ada, expect: allowed, at: {at}}}"
    [(_, read)] = read_cases(written(tmp_path, case)).cases
    assert read.at == datetime(2026, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("", "", 1),
        ("cases: []", "cases", 1),
        ("cases:\n- {user: ada}", "cases.0.expect", 2),
        ("cases:\n- {user: ada, expect: denied}", "cases.0.expect", 2),
        ("cases:\n- user: ada\n  expect: allowed\n  group: [lab]", "cases.0.group", 4),
        ("cases:\n- {user: ada, expect: allowed, options: {size: 3}}", "cases.0.options.size", 2),
        ("cases:\n- {user: ada, expect: allowed, at: noon}", "cases.0.at", 2),
    ],
)
def test_other_shapes_are_errors(tmp_path: Path, text: str, path: str, line: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_cases(written(tmp_path, text))
    finding = caught.value.findings[0]
    assert (finding.path, finding.line) == (path, line)


@pytest.mark.parametrize(
    ("expect", "because", "passed"),
    [
        ("allowed", "", True),
        ("allowed", "allowed_groups: lab", True),
        ("allowed", "group lab is allowed", True),
        ("allowed", "allowed_users", False),
        ("refused", "", False),
        ("refused", "allowed_groups: lab", False),
    ],
)
def test_answer_and_reason_both_count(expect: Any, because: str, passed: bool) -> None:
    verdict = Verdict("gpu", Decision(True, "allowed_groups: lab", "group lab is allowed"))
    assert Result(1, Case(user="ada", expect=expect, because=because), verdict).passed is passed
