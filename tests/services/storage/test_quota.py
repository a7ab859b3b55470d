"""A real Prometheus says how full a volume was when it was mounted last."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from jhext.demo.processes import free_port
from jhext.storage.quota import FullHome, QuotaSettings, full_home
from jhext.storage.quota_service import QuotaService
from tests.services.prometheus import running

METRIC = "kubelet_volume_stats_available_bytes"
EXAMPLE = Path(__file__).parents[3] / "docs" / "how-to" / "prepare-homes.md"
VOLUMES = {"claim-full": 0, "claim-roomy": 2**33}

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs Prometheus: apt-get install prometheus"
)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one that has seen volumes, which are mounted no more."""
    folder, kubelet = tmp_path_factory.mktemp("prometheus"), free_port()
    registry = CollectorRegistry()
    gauge = Gauge(METRIC, "", ["namespace", "persistentvolumeclaim"], registry=registry)
    for claim, available in VOLUMES.items():
        gauge.labels("jupyter", claim).set(available)
        gauge.labels("elsewhere", claim).set(7)
    server, thread = start_http_server(kubelet, "127.0.0.1", registry)
    seen = 2 * len(VOLUMES)
    with running(folder, kubelet, lambda url: len(samples(url)) == seen) as (url, child):
        gauge.clear()
        child.wait_until(lambda: not samples(url), 60)
        yield url
    server.shutdown()
    server.server_close()
    thread.join()


def samples(url: str) -> list[Any]:
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?query={METRIC}") as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
    except OSError:
        return []
    return found


def documented() -> dict[str, Any]:
    """Take the section out of the page for operators."""
    blocks = EXAMPLE.read_text().split("```yaml\n")[1:]
    (block,) = [text.partition("```")[0] for text in blocks if METRIC in text]
    quota: dict[str, Any] = yaml.safe_load(block)["storage"]["quota"]
    return quota


@pytest.mark.parametrize(
    ("claim", "expected"), [("claim-full", FullHome(0, "rescue")), ("claim-roomy", None)]
)
async def test_volume_that_is_mounted_no_more(
    prometheus: str, claim: str, expected: FullHome | None
) -> None:
    section = documented()
    url = section["url"].replace("https://prometheus.example.org", prometheus)
    settings = QuotaSettings.model_validate(section | {"url": url, "allow_http": True})
    service = QuotaService(settings)
    assert full_home(await service.ask(claim), settings) == expected
    with pytest.raises(LookupError):
        full_home(await service.ask("claim-never-made"), settings)
    await service.close()
