"""Readiness probes: whether a container answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from .resources import Object

_DEFAULT_PERIOD = 10
_DEFAULT_FAILURES = 3


async def watch_readiness(
    container: Object,
    address: str,
    *,
    execute: Callable[[list[str]], Awaitable[int]],
    ready: Callable[[bool], None],
    unhealthy: Callable[[str], None],
) -> None:
    """Probe a container for as long as it runs.

    Parameters
    ----------
    execute
        Runs a command in the container and returns its exit code.
    ready
        Is told when the container becomes ready, and when it no longer is.
    unhealthy
        Is told why, each time that a probe fails.
    """
    probe = container["readinessProbe"]
    failures_allowed = probe.get("failureThreshold") or _DEFAULT_FAILURES
    successes_needed = probe.get("successThreshold") or 1
    successes = failures = 0
    await asyncio.sleep(probe.get("initialDelaySeconds") or 0)
    while True:
        problem = await _try(container, probe, address, execute)
        if problem is None:
            successes, failures = successes + 1, 0
            if successes == successes_needed:
                ready(True)
        else:
            successes, failures = 0, failures + 1
            unhealthy(f"Readiness probe failed: {problem}")
            if failures == failures_allowed:
                ready(False)
        await asyncio.sleep(probe.get("periodSeconds") or _DEFAULT_PERIOD)


async def _try(
    container: Object,
    probe: Object,
    address: str,
    execute: Callable[[list[str]], Awaitable[int]],
) -> str | None:
    """Return why a probe fails, or None when it does not."""
    try:
        async with asyncio.timeout(probe.get("timeoutSeconds") or 1):
            if http := probe.get("httpGet"):
                host, port = http.get("host") or address, _port(container, http["port"])
                scheme = (http.get("scheme") or "HTTP").lower()
                return await _get(f"{scheme}://{host}:{port}{http.get('path') or '/'}")
            if tcp := probe.get("tcpSocket"):
                return await _connect(tcp.get("host") or address, _port(container, tcp["port"]))
            code = await execute(probe["exec"]["command"])
            return f"exit code {code}" if code else None
    except TimeoutError:
        return "timeout"
    except (OSError, aiohttp.ClientError) as error:
        return str(error)


def _port(container: Object, port: int | str) -> int:
    named = {entry.get("name"): entry["containerPort"] for entry in container.get("ports") or ()}
    return int(named.get(port, port))


async def _get(url: str) -> str | None:
    async with (
        aiohttp.ClientSession() as session,
        # As a kubelet, which does not ask who signed a pod's certificate.
        session.get(url, ssl=False, allow_redirects=False) as response,
    ):
        failed = not 200 <= response.status < 400
        return f"HTTP probe failed with statuscode: {response.status}" if failed else None


async def _connect(host: str, port: int) -> str | None:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    await writer.wait_closed()
    return None
