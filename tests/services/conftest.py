"""Real servers on loopback addresses, each started once and stopped at the end."""

from collections.abc import Iterator

import pytest
import trustme

from jhext.identity.source import Workers
from tests.postgres import NEEDED, binaries, new_database, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a private PostgreSQL; give the address of its server, without a database."""
    programs = binaries()
    if programs is None:
        pytest.skip(NEEDED)
    with running(programs) as address:
        yield address


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """Make an empty database and give its URL for SQLAlchemy."""
    return new_database(postgres)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Make a certificate authority that nobody else trusts."""
    return trustme.CA()


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Give threads to wait in."""
    workers = Workers(32)
    yield workers
    workers.close()
