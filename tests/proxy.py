"""The proxy in front of every hub of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from jhext.demo.proxy import Proxy, find_proxy
from tests.cluster.kubernetes import lock


def kept_proxy(config: pytest.Config) -> Proxy:
    """Return the proxy of all hubs; npm's is installed by one process, once, and kept."""
    assert config.cache
    folder = Path(config.cache.mkdir("configurable-http-proxy"))
    with lock.alone(folder.with_suffix(".lock")):
        return find_proxy(folder)
