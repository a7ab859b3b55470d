"""What Prometheus is told about the culler."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """The metrics of one culler, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "jhext_culler_requests",
            "Requests to the hub, by method and status; status 0 had no answer",
            ["method", "status"],
            registry=self.registry,
        )
        self.verdicts = Gauge(
            "jhext_culler_servers",
            "Servers in the last pass, by the verdict on them and why",
            ["verdict", "why"],
            registry=self.registry,
        )
        self.outcomes = Counter(
            "jhext_culler_stops",
            "Attempts to stop a server, by why it was to be stopped and what came of it",
            ["why", "outcome"],
            registry=self.registry,
        )
        self.notices = Gauge(
            "jhext_culler_notices",
            "Servers in the last pass whose users find a notice of a stop that is near",
            registry=self.registry,
        )
        self.faults = Counter(
            "jhext_culler_usage_unknown",
            "Servers of which Prometheus could not tell how busy they are",
            registry=self.registry,
        )
        self.deleted = Counter(
            "jhext_culler_deleted_users",
            "People deleted from the hub, by what came of it",
            ["outcome"],
            registry=self.registry,
        )
        self.passes = Counter(
            "jhext_culler_passes", "Passes, by how they ended", ["outcome"], registry=self.registry
        )
        self.seconds = Gauge(
            "jhext_culler_last_pass_seconds", "How long the last pass took", registry=self.registry
        )
        self.last = Gauge(
            "jhext_culler_last_pass_timestamp_seconds",
            "When the last pass ended that saw everything",
            registry=self.registry,
        )
        self.reloaded = Gauge(
            "jhext_culler_last_reload_successful",
            "Whether the rules in use are those that the settings hold now",
            registry=self.registry,
        )

    def count_request(self, method: str, status: int) -> None:
        """Count an answer of the hub."""
        self.requests.labels(method, status).inc()
