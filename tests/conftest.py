"""Skipped tests: allowed on a desk, failures where ``JHEXT_TEST_REQUIRE`` is set, as in CI.

Only what cannot be true for the releases in use may be skipped there too. Its reason begins with
``not on``, as in ``not on JupyterHub 5: ...``; any other says what is needed and how to get it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest

REQUIRED = bool(os.environ.get("JHEXT_TEST_REQUIRE"))


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (REQUIRED and report.skipped and isinstance(report.longrepr, tuple)):
        return
    path, line, reason = report.longrepr
    if not reason.removeprefix("Skipped: ").startswith("not on "):
        report.outcome = "failed"
        report.longrepr = f"{path}:{line}: this run may not skip: {reason}"


def pytest_configure() -> None:
    """Have Ctrl-C reach what tests start, also from a shell that runs them in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report
