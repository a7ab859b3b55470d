"""People log in to a real hub by OpenLDAP over ldaps, and only if its certificate is good."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme

from jhext.demo.client import HubClient
from tests.directories.fixtures import running_slapd
from tests.directories.slapd import Slapd
from tests.hub import directories
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    with running_slapd("rfc2307", trustme.CA()) as server:
        yield server


def run(run_hub: RunHub, server: Slapd, *addresses: str) -> Bench:
    return run_hub(
        directories.POSIX_ACCOUNTS,
        directories.settings(directories.posix_source(server)),
        directories.login(directories.posix_login(server, *addresses)),
    )


async def test_groups_by_the_names_of_members_and_ids_in_the_pod(
    run_hub: RunHub, slapd: Slapd
) -> None:
    bench = run(run_hub, slapd, slapd.tls_url)
    async with bench.program("alice") as program:
        groups = await directories.groups_in_the_hub(program, "alice")
        assert groups == {"students", "lab", "gpu"}
        context = await directories.context_of_pod(bench, program, "alice", "gpu")
    assert (context["runAsUser"], context["runAsGroup"]) == (20001, 30000)
    assert context["supplementalGroups"] == [30001, 30002]


async def test_d42_no_password_goes_to_servers_whose_certificates_are_not_good(
    run_hub: RunHub, slapd: Slapd
) -> None:
    """One's time is over, another one's authority is not trusted."""
    with running_slapd("rfc2307", trustme.CA(), expired=True) as expired:
        bench = run(run_hub, expired, expired.tls_url, slapd.tls_url)
        async with HubClient(bench.hub.url) as client:
            answer = await client.login("alice", "alice-pw")
    assert answer.status == 503
    log = bench.hub.log.read_text()
    assert "certificate has expired" in log
    assert "self-signed certificate in certificate chain" in log
    assert "tls_kwargs" in log
    assert "alice-pw" not in log
