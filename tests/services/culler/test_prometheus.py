"""A real Prometheus says which servers are busy and which waste their GPU."""

from __future__ import annotations

import json
import shutil
import signal
import time
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from jhext.culler.policy import Rules
from jhext.culler.settings import CullerSettings
from jhext.culler.usage import Prometheus, Usage
from jhext.culler.verdict import Server, Verdict, Why
from jhext.demo.processes import Child, free_port
from tests.services.prometheus import running

HOUR = 3600
BUSY = "max_over_time(DCGM_FI_DEV_GPU_UTIL{pod=$pod,namespace=$namespace}[1m]) > bool 5"
WASTES = "max_over_time(DCGM_FI_DEV_GPU_UTIL{pod=$pod}[1m]) < bool 1"
HOSTILE = ('b"ob', "b\\ob", "b\nob", "böb😀", 'x"} or vector(1) #', "$pod", "`", "'")
GPUS = {"busy": (90.0,), "idle": (0.0,), "half": (0.0, 90.0), **dict.fromkeys(HOSTILE, (90.0,))}

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs Prometheus: apt-get install prometheus"
)


@pytest.fixture(scope="module")
def exporter() -> Iterator[int]:
    """Show what NVIDIA's exporter does: the use of each GPU, by pod."""
    registry, port = CollectorRegistry(), free_port()
    use = Gauge("DCGM_FI_DEV_GPU_UTIL", "", ["pod", "namespace", "gpu"], registry=registry)
    for pod, gpus in GPUS.items():
        for number, percent in enumerate(gpus):
            use.labels(pod, "hub", number).set(percent)
    server, thread = start_http_server(port, "127.0.0.1", registry)
    yield port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def service(exporter: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Child]]:
    with running(tmp_path_factory.mktemp("prometheus"), exporter, has_samples) as started:
        yield started


def has_samples(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?query=DCGM_FI_DEV_GPU_UTIL") as answer:
            return bool(json.load(answer)["data"]["result"])
    except OSError:
        return False


@pytest.fixture
def url(service: tuple[str, Child]) -> str:
    return service[0]


def rules(url: str, **more: str) -> Rules:
    written = {"busy_if": BUSY, "wastes_if": WASTES, **more}
    return Rules(CullerSettings(prometheus={"url": url}, **written))


async def judged(judge: Rules, pod: str, idle: float) -> Verdict:
    now = time.time()
    times = {"started": now - 9 * HOUR, "last_activity": now - idle}
    server = Server("bob", pod=pod, namespace="hub", **times)
    assert judge.settings.prometheus
    async with Prometheus(judge.settings.prometheus) as prometheus:
        return await Usage(prometheus, judge).refine(server, judge.judge(server, now), now)


@pytest.mark.parametrize(
    ("pod", "idle", "stop", "why"),
    [
        ("busy", 2 * HOUR, False, Why.BUSY),
        ("half", 2 * HOUR, False, Why.BUSY),
        ("idle", 2 * HOUR, True, Why.IDLE),
        ("idle", 0, True, Why.WASTE),
        ("half", 0, False, Why.WITHIN_LIMITS),
        ("busy", 0, False, Why.WITHIN_LIMITS),
        ("without a GPU", 2 * HOUR, False, Why.UNKNOWN),
        ("without a GPU", 0, False, Why.WITHIN_LIMITS),
    ],
)
async def test_verdict(url: str, pod: str, idle: float, stop: bool, why: Why) -> None:
    verdict = await judged(rules(url), pod, idle)
    assert (verdict.stop, verdict.why) == (stop, why), verdict


@pytest.mark.parametrize("pod", HOSTILE)
async def test_any_name_is_found_and_nothing_else(url: str, pod: str) -> None:
    assert (await judged(rules(url), pod, 2 * HOUR)).why is Why.BUSY
    assert (await judged(rules(url), f"{pod}x", 2 * HOUR)).why is Why.UNKNOWN


@pytest.mark.parametrize("query", ["up{", '"text"', "up[1m]", "nothing_of_that_name"])
async def test_a_query_without_samples_stops_nobody(url: str, query: str) -> None:
    verdict = await judged(rules(url, busy_if=query, wastes_if=query), "idle", 2 * HOUR)
    assert verdict.why is Why.UNKNOWN


async def test_a_prometheus_that_hangs_stops_nobody(service: tuple[str, Child]) -> None:
    url, child = service
    judge = Rules(CullerSettings(prometheus={"url": url, "timeout": "1s"}, busy_if=BUSY))
    child.process.send_signal(signal.SIGSTOP)
    try:
        verdict = await judged(judge, "idle", 2 * HOUR)
    finally:
        child.process.send_signal(signal.SIGCONT)
    assert (verdict.why, verdict.stop) == (Why.UNKNOWN, False)
    assert "in time" in verdict.detail
