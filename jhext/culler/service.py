"""The culler as a service: pass after pass, until it is asked to end."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import random
import ssl
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import start_http_server
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jhext.profiles.finding import ConfigurationError

from .hub import Hub, HubError
from .judging import Judge
from .metrics import Metrics
from .policy import Rules
from .rights import Rights
from .settings import CullerSettings
from .source import File, Source
from .usage import Prometheus, Usage
from .verdict import printable, told
from .work import Memory, MissingScopes, Pass, Seen

_LOOK_AT_SETTINGS = 2.0
"""Seconds between looks at the settings."""
_LAST_STOPS = 5.0
"""Seconds that are waited at the end for what is being stopped."""
_SHORTEST, _LONGEST = 1.0, 600.0
_JITTER = 0.1


@dataclass
class Service:
    """The culler.

    Parameters
    ----------
    source
        Where its rules are.
    url, token
        The hub's REST API, and what opens it.
    log
        Where verdicts are told.
    """

    source: Source
    url: str
    token: str = field(repr=False)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("jhext.culler"))
    metrics: Metrics = field(default_factory=Metrics)
    _memory: Memory = field(default_factory=Memory)
    _end: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if isinstance(self.source, File):
            self._memory.rights = Rights(self.source.path)

    def end(self) -> None:
        """Ask it to end: what is being stopped is finished, nothing else is begun."""
        self._end.set()

    async def run(self) -> None:
        """Go on until asked to end. Faults of the hub or the settings never end it.

        Raises
        ------
        ConfigurationError
            The settings are faulty from the beginning.
        """
        rules = self.read()
        self._serve_metrics(rules.settings)
        self._memory.clock.lose()  # a hub starts its services when it is started itself
        while not self._end.is_set():
            began = time.monotonic()
            await self._until_end(self.run_pass(rules))
            rules = await self._wait(rules, began)

    async def _until_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for a pass; where the service is to end, only a little longer."""
        task = asyncio.create_task(work)
        ending = asyncio.create_task(self._end.wait())
        await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({task}, timeout=_LAST_STOPS)
        for each in (task, ending):
            each.cancel()
        await asyncio.wait({task, ending})

    async def dry_run(self, console: Console) -> int:
        """Print who would be stopped and why, without stopping anybody; return the exit code."""
        try:
            rules = self.read()
            async with self._pass(rules) as one:
                seen = await one.look()
        except (ConfigurationError, HubError, MissingScopes, OSError) as error:
            console.print(Text(f"jhext-culler: {error}"), soft_wrap=True)
            return 1
        console.print(table(seen, rules.settings.revoked_after))
        return 0 if seen.whole and not seen.lacks else 1

    async def run_pass(self, rules: Rules) -> None:
        """Make one pass. Whatever goes wrong is told, and does not end the service."""
        began, outcome = time.monotonic(), "failed"
        try:
            async with self._pass(rules) as one:
                seen = await one.look()
                self._show(seen)
                await one.act(seen)
                outcome = "forbidden" if seen.lacks else "whole" if seen.whole else "partial"
        except MissingScopes as error:
            outcome = "forbidden"
            self.log.error("%s", error)
        except (HubError, OSError) as error:
            self._memory.clock.lose()
            self.log.error("This pass is given up, the next one tries again: %s", error)
        except Exception:
            self.log.exception("This pass failed, the next one tries again")
        self.metrics.passes.labels(outcome).inc()
        self.metrics.seconds.set(time.monotonic() - began)
        if outcome == "whole":
            self.metrics.last.set_to_current_time()

    @asynccontextmanager
    async def _pass(self, rules: Rules) -> AsyncIterator[Pass]:
        settings, memory = rules.settings, self._memory
        async with AsyncExitStack() as stack:
            hub = await stack.enter_async_context(self._hub(settings))
            asked = Prometheus(settings.prometheus) if settings.prometheus else None
            if asked is not None:
                await stack.enter_async_context(asked)
            judge = Judge(rules, memory.clock, memory.revocations, Usage(asked, rules))
            yield Pass(hub, judge, memory, self.metrics, self.log, self._end)

    def _hub(self, settings: CullerSettings) -> Hub:
        return Hub(
            self.url,
            self.token,
            timeout=settings.request_timeout,
            page_size=settings.api_page_size,
            connections=settings.concurrency,
            tls=tls_of(settings),
            count=self.metrics.count_request,
        )

    def _show(self, seen: Seen) -> None:
        self.metrics.verdicts.clear()
        for (verdict, why), number in seen.counts.items():
            self.metrics.verdicts.labels(verdict, why).set(number)
        self.metrics.notices.set(len(seen.notices))

    def read(self) -> Rules:
        """Read the rules. This waits for the disk.

        Raises
        ------
        ConfigurationError
            They are faulty.
        """
        rules = Rules(self.source.read())
        self.metrics.reloaded.set(1)
        return rules

    async def _wait(self, rules: Rules, began: float) -> Rules:
        """Wait for the next pass, which is at once when the rules change; give its rules."""
        due = began + interval(rules) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
        while not self._end.is_set() and (left := due - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left, _LOOK_AT_SETTINGS)):
                    await self._end.wait()
            except TimeoutError:
                if (changed := await asyncio.to_thread(self._changed, rules)) is not None:
                    self.log.info("The rules changed")
                    return changed
        return rules

    def _changed(self, rules: Rules) -> Rules | None:
        """Give the rules if they are now others. This waits for the disk."""
        if not self.source.changed():
            return None
        try:
            changed = self.read()
        except ConfigurationError as error:
            self.metrics.reloaded.set(0)
            self.log.error("The rules changed and are faulty, those before hold on:\n%s", error)
            return None
        return changed if changed.settings != rules.settings else None

    def _serve_metrics(self, settings: CullerSettings) -> None:
        if settings.metrics_port is None:
            return
        try:
            start_http_server(settings.metrics_port, settings.metrics_ip, self.metrics.registry)
        except OSError as error:
            self.log.error("There are no metrics, since port and address are not free: %s", error)


def interval(rules: Rules) -> float:
    """Tell how many seconds lie between the beginnings of two passes."""
    if rules.settings.cull_every is not None:
        return min(rules.settings.cull_every, 86_400.0)
    settings = rules.settings
    shortest = min(rules.shortest_timeout, rules.shortest_age, settings.revoked_after)
    shortest = min([shortest, *(rule.warn_before for rule in settings.rules if rule.warn_before)])
    return _LONGEST if shortest == math.inf else min(_LONGEST, max(_SHORTEST, shortest / 2))


def tls_of(settings: CullerSettings) -> ssl.SSLContext | None:
    """Give the certificates that the hub asks for, where it does.

    JupyterHub names them to its services in the environment; elsewhere they are in its folder.

    Raises
    ------
    OSError
        They cannot be read.
    """
    if not (settings.ssl_enabled or os.environ.get("JUPYTERHUB_SSL_CERTFILE")):
        return None
    folder = Path(settings.internal_certs_location)
    places = {
        "JUPYTERHUB_SSL_CERTFILE": folder / "hub-internal" / "hub-internal.crt",
        "JUPYTERHUB_SSL_KEYFILE": folder / "hub-internal" / "hub-internal.key",
        "JUPYTERHUB_SSL_CLIENT_CA": folder / "hub-ca_trust.crt",
    }
    certificate, key, authority = (
        os.environ.get(name) or str(path) for name, path in places.items()
    )
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(certificate, key)
    return context


def table(seen: Seen, grace: float) -> Table:
    """Show who would be stopped or deleted, and why.

    Parameters
    ----------
    seen
        What was found.
    grace
        Seconds that servers without a right go on, which begin when that is first seen: only a
        service that runs on knows when that was.
    """
    made = Table("user", "server", "profile", "why", "rule")
    cases: list[tuple[Any, str]] = [(case, case.server.name) for case in seen.to_stop]
    cases += [(case, "(the user)") for case in seen.to_delete]
    later = f"; it would be stopped {told(grace)} after the service has seen that"
    rows = [(case, server, "") for case, server in cases]
    rows += [(case, case.server.name, later) for case in seen.revoked]
    for case, server, when in rows:
        row = (case.server.user, server, case.server.profile or "", case.verdict.why)
        made.add_row(*(Text(printable(str(cell))) for cell in (*row, case.verdict.detail + when)))
    kept = sum(number for (verdict, _), number in seen.counts.items() if verdict == "keep")
    kept -= len(seen.revoked)
    ends = f"{len(seen.revoked)} for want of a right later, " if seen.revoked else ""
    made.caption = f"{len(cases)} would go, {ends}{kept} others were looked at."
    return made
