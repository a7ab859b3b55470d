"""How versions and clocks of servers are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jhext.doctor.cluster import _skew, _version


@pytest.mark.parametrize(
    ("major", "minor", "version"),
    [("1", "33", (1, 33)), ("1", "33+", (1, 33)), ("", "", None), ("1", "x", None)],
)
def test_version(major: str, minor: str, version: tuple[int, int] | None) -> None:
    assert _version(major, minor) == version


def test_clock() -> None:
    now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    assert _skew({"Date": "Thu, 01 Jan 2026 12:01:30 GMT"}, now) == 90
    assert _skew({}, now) is None
