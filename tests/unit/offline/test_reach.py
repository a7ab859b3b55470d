"""Rules that can never take effect are found, and no others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from jhext.offline.reach import never, unknown_groups

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def found(make_catalog: Any, rules: str, mapped: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    catalog = make_catalog(f"[{{slug: p, display_name: P, {rules}}}]")
    return [(item.path, item.message) for _, item in never(catalog.profiles, NOW, mapped)]


TRUE, FALSE = "is true for everybody", "can never be true"


@pytest.mark.parametrize(
    ("rules", "path", "message"),
    [
        ("allowed_users: [a, b], blocked_users: [b]", "allowed_users", "'b' never gets in"),
        ("allowed_groups: [g], blocked_groups: [g]", "allowed_groups", "'g' never gets in"),
        ("allow_all: true, allowed_groups: [g]", "allowed_groups", "makes no difference"),
        ("allow_if: 'true'", "allow_if", TRUE),
        ("allow_if: 1 == 2", "allow_if", FALSE),
        ("allow_if: '1'", "allow_if", FALSE),
        ("allow_if: 1 / 0 == 1", "allow_if", FALSE),
        ("allow_if: claims.x == 1 && false", "allow_if", FALSE),
        ("allow_if: \"now < timestamp('2026-01-01T00:00:00Z')\"", "allow_if", FALSE),
        ("allow_if: \"now > timestamp('2026-01-01T00:00:00Z')\"", "allow_if", TRUE),
        ("allow_all: true, block_if: 'false'", "block_if", FALSE),
        ("allow_all: true, block_if: 'true || admin'", "block_if", "blocks everybody"),
        ("allow_all: true, block_if: '1'", "block_if", "blocks everybody"),
        ("allow_all: true, block_if: 1 / 0 == 1", "block_if", "blocks everybody"),
    ],
)
def test_rules_without_effect(make_catalog: Any, rules: str, path: str, message: str) -> None:
    [(where, text)] = found(make_catalog, rules)
    assert where == path
    assert text.startswith(message)


@pytest.mark.parametrize(
    "rules",
    [
        "allowed_users: [a], blocked_users: [b], allowed_groups: [g]",
        "allow_if: claims.x == 1",
        "allow_if: \"user == 'a' && 'g' in groups\"",
        "allow_if: now.getHours() < 8",
        "allow_if: now.getDayOfWeek() == 0",
        "allow_if: now.getMonth() == 3",
        "allow_if: now.getFullYear() == 2028",
        "allow_if: \"now < timestamp('2030-01-01T00:00:00Z')\"",
        "allow_if: \"now > timestamp('2030-01-01T00:00:00Z')\"",
        "allow_all: true, block_if: has(claims.x) && claims.x",
    ],
)
def test_rules_with_effect(make_catalog: Any, rules: str) -> None:
    assert found(make_catalog, rules) == []


@pytest.mark.parametrize(
    ("profile", "choice", "mapped", "out_of_reach"),
    [
        ("allowed_users: [a]", "allowed_users: [b]", (), True),
        ("allowed_users: [a]", "allowed_users: [a, b]", (), False),
        ("allowed_users: [a]", "allowed_users: [b]", ("p",), False),
        ("allowed_users: [a], allowed_groups: [g]", "allowed_users: [b]", (), False),
        ("allowed_users: [a]", "allowed_users: [b], allow_if: admin", (), False),
        ("allow_all: true", "allowed_users: [b]", (), False),
        ("allowed_users: [a]", "blocked_users: [b]", (), False),
    ],
)
def test_choices_out_of_reach(
    make_catalog: Any, profile: str, choice: str, mapped: tuple[str, ...], out_of_reach: bool
) -> None:
    choices = f"{{one: {{display_name: One}}, two: {{display_name: Two, {choice}}}}}"
    options = f"profile_options: {{size: {{display_name: Size, choices: {choices}}}}}"
    expected = [
        ("profile_options.size.choices.two", "nobody whom it allows has the profile"),
    ]
    assert found(make_catalog, f"{profile}, {options}", mapped) == (
        expected if out_of_reach else []
    )


DECLARE = "name it in c.JupyterHub.load_groups or in the file of --groups if there is one"


def test_groups_that_no_source_gives(make_catalog: Any) -> None:
    catalog = make_catalog("""
    - slug: p
      display_name: P
      allowed_groups: [lab, Staff, ghosts]
      block_if: "'interns' in groups || \\"lab\\" in groups || claims.x == 'nobody'"
    """)
    assert [
        (item.path, f"{item.message}; {item.suggestion}")
        for _, item in unknown_groups(catalog.profiles, {"lab", "staff"})
    ] == [
        ("allowed_groups", "no known source gives the group 'Staff'; did you mean 'staff'?"),
        ("allowed_groups", f"no known source gives the group 'ghosts'; {DECLARE}"),
        ("block_if", f"no known source gives the group 'interns'; {DECLARE}"),
    ]
