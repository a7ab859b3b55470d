"""Time as Kubernetes writes it: RFC 3339, in UTC, to the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def timestamp(after_seconds: float = 0) -> str:
    """Return the present time, or one ``after_seconds`` from now."""
    return (datetime.now(UTC) + timedelta(seconds=after_seconds)).strftime(_FORMAT)


def seconds_since(written: str) -> float:
    """Return how long ago a timestamp was, in seconds."""
    return (datetime.now(UTC) - datetime.fromisoformat(written)).total_seconds()
