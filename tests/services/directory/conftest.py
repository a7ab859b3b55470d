"""The directories."""

from tests.directories.fixtures import (  # noqa: F401 - fixtures
    directory_authority,
    rfc2307,
    rfc2307bis,
    samba,
)
