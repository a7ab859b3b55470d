"""Fixtures of the directories; a conftest imports what its tests use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

from jhext.demo.processes import Children

from . import samba as samba_module
from . import slapd
from .folders import short_folder
from .samba import Samba
from .slapd import Schema, Slapd


@contextmanager
def running_slapd(
    schema: Schema, authority: trustme.CA, *, expired: bool = False
) -> Iterator[Slapd]:
    """Run a slapd of its own, for tests that stop it or change what is in it."""
    if not slapd.is_installed():
        pytest.skip(slapd.NEEDED)
    with short_folder() as folder, Children() as children:
        yield Slapd(children, folder, schema, authority, expired=expired)


@contextmanager
def running_samba(authority: trustme.CA) -> Iterator[Samba]:
    """Run a domain controller. There can be one of a process at a time."""
    if not samba_module.is_installed():
        pytest.skip(samba_module.NEEDED)
    with short_folder() as folder, Children() as children:
        samba_module.copy(samba_module.provisioned(), folder)
        yield Samba(children, folder, authority)


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


@pytest.fixture(scope="session")
def samba(directory_authority: trustme.CA) -> Iterator[Samba]:
    """Run an Active Directory. Who changes what is in it changes it back."""
    with running_samba(directory_authority) as server:
        yield server
