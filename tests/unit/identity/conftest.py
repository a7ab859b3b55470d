"""Threads for the sources under test."""

from collections.abc import Iterator

import pytest

from jhext.identity.source import Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(4)
    yield workers
    workers.close()
