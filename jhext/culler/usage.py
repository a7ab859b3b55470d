"""What Prometheus says of a server: that it is busy, or that it wastes what it has."""

from __future__ import annotations

import asyncio
import math
import ssl
from types import TracebackType
from typing import Any, Self

import aiohttp

from jhext.profiles.finding import ConfigurationError

from .policy import Rules
from .promql import bind
from .settings import PrometheusSettings
from .verdict import Server, Verdict, Why

_AT_A_TIME = 10


class NoAnswer(Exception):  # noqa: N818 - nothing went wrong here
    """Nobody can tell. The message says why, and never the token."""


class Prometheus:
    """A session with Prometheus, or something with its HTTP API.

    Parameters
    ----------
    settings
        Where it is.
    """

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._url = f"{settings.url.rstrip('/')}/api/v1/query"
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(_AT_A_TIME)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def samples(self, query: str, server: Server) -> list[float]:
        """Ask a query about a server; the answer has at least one sample, and each is a number.

        Raises
        ------
        NoAnswer
            There is no such answer.
        """
        known = {
            "pod": server.pod,
            "namespace": server.namespace,
            "user": server.user,
            "server": server.name,
        }
        # Without a name of the pod, a query would be about whatever has none.
        known = {name: value for name, value in known.items() if value or name == "server"}
        try:
            bound = bind(query, known)
        except KeyError as error:
            raise NoAnswer(f"the hub does not say ${error.args[0]}") from None
        async with self._slots:
            return _samples(await self._ask(bound))

    async def _ask(self, query: str) -> Any:
        try:
            if self._session is None:
                self._session = self._open()
            async with self._session.post(
                self._url, data={"query": query}, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise NoAnswer(f"Prometheus answered {response.status}")
                return await response.json(content_type=None)
        except TimeoutError:
            raise NoAnswer("Prometheus did not answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError, ConfigurationError) as error:
            raise NoAnswer(f"Prometheus was not asked: {type(error).__name__}") from None

    def _open(self) -> aiohttp.ClientSession:
        settings = self._settings
        token = settings.token.resolve() if settings.token else ""
        tls = ssl.create_default_context(cafile=settings.ca_file) if settings.ca_file else True
        return aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"} if token else None,
            timeout=aiohttp.ClientTimeout(total=settings.timeout),
            connector=aiohttp.TCPConnector(ssl=tls),
        )


def _samples(answer: Any) -> list[float]:
    try:
        if answer["status"] != "success" or answer.get("warnings"):
            raise NoAnswer("Prometheus answered with a fault, or not of everything")
        kind, result = answer["data"]["resultType"], answer["data"]["result"]
        if kind not in ("vector", "scalar"):
            raise NoAnswer(f"the query yields a {kind}, not samples")
        pairs = [result] if kind == "scalar" else [sample["value"] for sample in result]
        values = [float(value) for _, value in pairs]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NoAnswer("the answer is none of Prometheus'") from None
    if not values or any(map(math.isnan, values)):
        raise NoAnswer("Prometheus has no sample")
    return values


class Usage:
    """What verdicts become when Prometheus has been asked, where rules say to.

    Parameters
    ----------
    prometheus
        Who is asked; None for nobody.
    rules
        Who is asked about what.
    """

    def __init__(self, prometheus: Prometheus | None, rules: Rules) -> None:
        self._prometheus = prometheus
        self._rules = rules
        self.faults: list[str] = []
        """Why there was no answer, once for each question that had none."""

    def asks(self, server: Server, verdict: Verdict, now: float) -> bool:
        """Tell whether there is anything to ask about a server with this verdict."""
        if self._prometheus is None:
            return False
        if verdict.stop:
            return verdict.why is Why.IDLE and bool(self._rules.limits(server).busy_if)
        return self._rules.may_waste(server, verdict, now)

    async def refine(self, server: Server, verdict: Verdict, now: float) -> Verdict:
        """Ask what there is to ask. Who does not answer stops no server.

        Parameters
        ----------
        server, verdict
            The server, and the verdict of times and rules.
        now
            The time of that verdict.
        """
        if self._prometheus is None or not self.asks(server, verdict, now):
            return verdict
        limits = self._rules.limits(server)
        key = "busy_if" if verdict.stop else "wastes_if"
        try:
            samples = await self._prometheus.samples(getattr(limits, key), server)
        except NoAnswer as error:
            detail = f"{limits.said_by[key]}: {error}"
            self.faults.append(detail)
            if not verdict.stop:
                return verdict
            kept = self._rules.judge_busy(server, now)
            return kept if kept.stop else Verdict(False, Why.UNKNOWN, detail, at=kept.at)
        if verdict.stop:
            return self._rules.judge_busy(server, now) if any(samples) else verdict
        # One of several GPUs that computes is enough to need all.
        return Verdict(True, Why.WASTE, limits.said_by[key]) if all(samples) else verdict
