"""Hubs for the tests: each module says what its hub is configured with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.processes import Children
from jhext.demo.proxy import Proxy
from tests.hub.bench import Bench, start_bench
from tests.proxy import kept_proxy

RunHub = Callable[..., Bench]


@pytest.fixture(scope="session")
def proxy(pytestconfig: pytest.Config) -> Proxy:
    return kept_proxy(pytestconfig)


@pytest.fixture(scope="module")
def run_hub(proxy: Proxy) -> Iterator[RunHub]:
    """
    Start hubs, and end them after the module.

    Who asks for the same hub again gets the same: tests with a parametrized hub run in any order.
    """
    started: dict[str, Bench] = {}
    with ExitStack() as stack:

        def run(
            people: Iterable[Account],
            settings: Mapping[str, Any],
            config: str = "",
            base: str = "base_config.py",
        ) -> Bench:
            key = repr((people, settings, config, base))
            if key in started:
                return started[key]
            # not below pytest's own folder, which root keeps from the uids of the pods
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="jhext-hub-")))
            folder.chmod(0o711)
            children = stack.enter_context(Children())
            started[key] = start_bench(children, folder, proxy, people, settings, config, base)
            return started[key]

        yield run
