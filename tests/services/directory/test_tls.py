"""Who a directory's server proves to be."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from jhext.identity.errors import IdentityUnavailable
from jhext.identity.ldap.access import parse_server, verified_context
from tests.directories.fixtures import running_slapd
from tests.directories.slapd import Slapd

from .asking import directory, person


@pytest.fixture(scope="module")
def expired(directory_authority: trustme.CA) -> Iterator[Slapd]:
    with running_slapd("rfc2307", directory_authority, expired=True) as server:
        yield server


def urls(server: Slapd) -> list[str]:
    return [server.url, server.tls_url]


@pytest.mark.parametrize("way", [0, 1], ids=["StartTLS", "ldaps"])
async def test_d42_a_trusted_server_of_the_right_name(rfc2307: Slapd, way: int) -> None:
    async with directory(rfc2307, servers=(parse_server(urls(rfc2307)[way]),)) as asked:
        assert (await person(asked, "alice")).name == "alice"


@pytest.mark.parametrize("way", [0, 1], ids=["StartTLS", "ldaps"])
async def test_d42_an_unknown_authority(rfc2307: Slapd, way: int) -> None:
    server = parse_server(urls(rfc2307)[way])
    async with directory(rfc2307, servers=(server,), context=verified_context) as asked:
        with pytest.raises(IdentityUnavailable, match="certificate is not accepted"):
            await asked.find("alice")
        assert asked.operations == 0


@pytest.mark.parametrize("way", [0, 1], ids=["StartTLS", "ldaps"])
async def test_d42_a_certificate_whose_time_is_over(expired: Slapd, way: int) -> None:
    async with directory(expired, servers=(parse_server(urls(expired)[way]),)) as asked:
        with pytest.raises(IdentityUnavailable, match="certificate has expired"):
            await asked.find("alice")


@pytest.mark.parametrize("way", [0, 1], ids=["StartTLS", "ldaps"])
async def test_d42_a_certificate_for_another_name(rfc2307: Slapd, way: int) -> None:
    """It is for 127.0.0.1 and localhost; the server listens on all of the loopback's names."""
    server = parse_server(urls(rfc2307)[way].replace("127.0.0.1", "0.0.0.0"))
    async with directory(rfc2307, servers=(server,)) as asked:
        with pytest.raises(IdentityUnavailable, match=r"not valid for '0\.0\.0\.0'"):
            await asked.find("alice")


async def test_a_file_of_authorities_that_is_not_there(rfc2307: Slapd, tmp_path: Path) -> None:
    async with directory(
        rfc2307, context=lambda: verified_context(str(tmp_path / "none.pem"))
    ) as asked:
        with pytest.raises(IdentityUnavailable, match="certificates to trust"):
            await asked.find("alice")


async def test_d42_plain_only_where_that_is_allowed(rfc2307: Slapd) -> None:
    plain = parse_server(rfc2307.url, allow_plaintext=True)
    async with directory(rfc2307, servers=(plain,)) as asked:
        assert (await person(asked, "alice")).name == "alice"
