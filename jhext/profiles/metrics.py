"""What Prometheus is told about profiles that are read again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from prometheus_client import Counter, Gauge


@dataclass(frozen=True)
class ReloadMetrics:
    """The metrics of reading profiles."""

    successful: Gauge
    timestamp: Gauge
    reloads: Counter

    def record(self, *, faultless: bool) -> None:
        """Record that another version was read."""
        self.successful.set(faultless)
        if faultless:
            self.timestamp.set_to_current_time()
        self.reloads.labels("loaded" if faultless else "faulty").inc()

    def record_late(self) -> None:
        """Record that reading did not come to an end in time."""
        self.successful.set(0)
        self.reloads.labels("late").inc()


@cache
def reload_metrics() -> ReloadMetrics:
    """Register the metrics, once and not when this module is imported."""
    return ReloadMetrics(
        Gauge(
            "jhext_profiles_last_reload_successful",
            "Whether the profiles in use are those that the files hold now",
        ),
        Gauge(
            "jhext_profiles_last_reload_success_timestamp_seconds",
            "When the profiles in use were read",
        ),
        Counter(
            "jhext_profiles_reloads",
            "How often profiles that had changed were read",
            ["outcome"],
        ),
    )
