"""Fixtures of the directories; a conftest imports what its tests use."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from jhext.demo.processes import Children

from . import slapd
from .slapd import Schema, Slapd


@contextmanager
def running_slapd(
    schema: Schema, authority: trustme.CA, *, expired: bool = False
) -> Iterator[Slapd]:
    """Run a slapd of its own, for tests that stop it or change what is in it."""
    if not slapd.is_installed():
        pytest.skip(slapd.NEEDED)
    folder = Path(tempfile.mkdtemp(prefix="jhext-ldap-", dir="/tmp"))
    try:
        with Children() as children:
            yield Slapd(children, folder, schema, authority, expired=expired)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def directory_authority() -> trustme.CA:
    """Make the certificate authority of the directories."""
    return trustme.CA()


@pytest.fixture(scope="session")
def rfc2307(directory_authority: trustme.CA) -> Iterator[Slapd]:
    """Run OpenLDAP with groups by memberUid. Nobody changes what is in it."""
    with running_slapd("rfc2307", directory_authority) as server:
        yield server


@pytest.fixture(scope="session")
def rfc2307bis(directory_authority: trustme.CA) -> Iterator[Slapd]:
    """Run OpenLDAP with nested groups by member. Nobody changes what is in it."""
    with running_slapd("rfc2307bis", directory_authority) as server:
        yield server
