"""Passes of the culler against a hub with faults."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from jhext.culler import hub as hub_module
from jhext.culler import work as work_module
from jhext.culler.hub import Hub
from jhext.culler.judging import Judge
from jhext.culler.metrics import Metrics
from jhext.culler.policy import Rules
from jhext.culler.settings import CullerSettings
from jhext.culler.usage import Prometheus, Usage
from jhext.culler.work import Memory, Pass, Seen
from tests.unit.culler.fake_hub import FakeHub

RunPass = Callable[..., Awaitable[Seen]]


class Culler:
    """A culler that makes one pass at a time, and keeps what it remembers in between."""

    def __init__(self, **rules: Any) -> None:
        self.rules = Rules(CullerSettings(**rules))
        self.memory = Memory()
        self.clock = self.memory.clock
        self.revocations = self.memory.revocations
        self.metrics = Metrics()
        self.end = asyncio.Event()
        self.prometheus: Prometheus | None = None

    async def look(self, hub: FakeHub, act: bool = True) -> Seen:
        settings = self.rules.settings
        async with Hub(
            hub.url,
            "secret",
            timeout=settings.request_timeout,
            page_size=settings.api_page_size,
            count=self.metrics.count_request,
        ) as session:
            judge = Judge(
                self.rules, self.clock, self.revocations, Usage(self.prometheus, self.rules)
            )
            log = logging.getLogger("jhext.culler")
            one = Pass(session, judge, self.memory, self.metrics, log, self.end)
            seen = await one.look()
            if act:
                await one.act(seen)
            return seen

    def outcomes(self) -> dict[str, float]:
        """Give how many stops had which outcome."""
        found: dict[str, float] = {}
        for metric in self.metrics.outcomes.collect():
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    outcome = sample.labels["outcome"]
                    found[outcome] = found.get(outcome, 0) + sample.value
        return found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(work_module, "_TIMES_AS_LONG", 0)
