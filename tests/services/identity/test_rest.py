"""Identities from a real web service over TLS, on good days and bad ones."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from jhext.identity.build import build_resolver
from jhext.identity.errors import IdentityRefused, IdentityUnavailable
from jhext.identity.pointers import Pointers
from jhext.identity.resolve import Resolver
from jhext.identity.rest import RestSource, UrlTemplate
from jhext.identity.settings import IdentitySettings
from jhext.identity.source import Person, Workers
from tests.services.identity.people import (
    ANN,
    Answer,
    People,
    after,
    bomb,
    cut_off,
    endless,
    hang_up,
    says,
    says_one_after_the_other,
    trickle,
)

POINTERS = Pointers(
    {
        "uid": "/account/uidNumber",
        "gid": "/account/gidNumber",
        "home": "/homes/0",
        "groups": "/teams",
    },
    "/cn",
)
Make = Callable[..., RestSource]


@pytest.fixture
async def people(authority: trustme.CA) -> AsyncIterator[People]:
    async with People(authority) as people:
        yield people


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
async def make(people: People, ca_file: str, workers: Workers) -> AsyncIterator[Make]:
    made: list[RestSource] = []

    def make(**changes: Any) -> RestSource:
        arguments = {"headers": {}, "workers": workers, "ca_file": ca_file} | changes
        url = UrlTemplate(arguments.pop("url", people.url))
        made.append(RestSource("ids", url, POINTERS, **arguments))
        return made[-1]

    yield make
    for source in made:
        await source.close()


async def test_a_person(make: Make, people: People) -> None:
    assert await make().lookup(Person("ann")) == {
        "uid": 1001,
        "gid": "2001",
        "home": "/nfs/2/ann",
        "groups": [{"name": "lab", "gid": 5001}],
    }
    assert people.asked == {"/people/ann?full=1": 1}


async def test_somebody_it_does_not_know(make: Make, people: People) -> None:
    people.answer = says({"detail": "no such person"}, 404)
    assert await make().lookup(Person("ann")) is None


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/b", "a%2Fb"),
        ("../admin", "..%2Fadmin"),
        ("a?b#c&d=e", "a%3Fb%23c%26d%3De"),
        ("a b", "a%20b"),
        ("ä", "%C3%A4"),
        ("100%", "100%25"),
        ("%2e%2e", "%252e%252e"),
        ("a@b;c", "a%40b%3Bc"),
        ("a\r\nX: y", "a%0D%0AX%3A%20y"),
        ("{username}", "%7Busername%7D"),
    ],
)
async def test_d15_a_name_is_one_part_of_the_path(
    name: str, path: str, make: Make, people: People
) -> None:
    await make().lookup(Person(name))
    assert people.asked == {f"/people/{path}?full=1": 1}


@pytest.mark.parametrize("name", [".", ".."])
async def test_d15_a_name_that_cannot_be_quoted_is_refused(
    name: str, make: Make, people: People
) -> None:
    with pytest.raises(IdentityRefused):
        await make().lookup(Person(name))
    assert not people.asked


@pytest.mark.parametrize(
    ("answer", "why", "transient"),
    [
        (says({}, 500), "answered 500", True),
        (says({}, 503), "answered 503", True),
        (says({}, 429), "answered 429", True),
        (says({}, 401), "answered 401", False),
        (says({}, 403), "answered 403", False),
        (says(ANN, 204), "answered 204", False),
        (says(ANN, 206), "answered 206", False),
        (says(b"<html>sign in</html>"), "not JSON", False),
        (says(b""), "not JSON", False),
        (says(b"\xff"), "not JSON", False),
        (says(b'{"account": {"uidNumber": 1, "uidNumber": 0}}'), "a key twice", False),
        (says(b'{"account": {"uidNumber": NaN}}'), "not JSON", False),
        (says(b"[" * 100_000), "not JSON", False),
        (says(b" " * 262_145), "more than 262144 bytes", False),
        (endless, "more than 262144 bytes", False),
        (bomb, "not JSON", False),
        (cut_off, "Payload", True),
        (hang_up, "Disconnected", True),
    ],
)
async def test_anything_else_is_no_answer(
    answer: Answer, why: str, transient: bool, make: Make, people: People
) -> None:
    people.answer = answer
    with pytest.raises(IdentityUnavailable, match=why) as unavailable:
        await make().lookup(Person("ann"))
    assert unavailable.value.transient is transient


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(
    status: int, make: Make, people: People, authority: trustme.CA
) -> None:
    async with People(authority) as elsewhere:
        people.answer = says({}, status, Location=elsewhere.url.format(username="ann"))
        with pytest.raises(IdentityUnavailable, match=f"answered {status}"):
            await make(headers={"Authorization": lambda: "token"}).lookup(Person("ann"))
        assert not elsewhere.asked


@pytest.mark.parametrize("slow", ["silent", "trickle"])
async def test_a_slow_answer_is_no_answer(slow: str, make: Make, people: People) -> None:
    people.answer = trickle if slow == "trickle" else after(asyncio.Event(), says(ANN))
    with pytest.raises(IdentityUnavailable, match=r"no answer in 0\.2 s"):
        await make(timeout=0.2).lookup(Person("ann"))


async def test_headers_are_read_each_time(make: Make, people: People, tmp_path: Path) -> None:
    token = tmp_path / "token"
    source = make(headers={"Authorization": token.read_text})
    for text in ("Bearer one", "Bearer two"):
        await asyncio.to_thread(token.write_text, text)
        await source.lookup(Person("ann"))
    assert [headers["Authorization"] for headers in people.headers] == ["Bearer one", "Bearer two"]


async def test_connections_are_used_again(make: Make, people: People) -> None:
    source = make()
    await asyncio.gather(*(source.lookup(Person(f"p{number}")) for number in range(5)))
    assert sum(people.asked.values()) == 5
    await source.close()
    await source.lookup(Person("ann"))  # and it opens again


@pytest.mark.parametrize("trusted", ["nobody", "another name"])
async def test_a_server_that_cannot_be_trusted_is_no_answer(
    trusted: str, make: Make, authority: trustme.CA
) -> None:
    signer = trustme.CA() if trusted == "nobody" else authority
    names = ("localhost",) if trusted == "nobody" else ("ids.example.org",)
    async with People(signer, names) as impostor:
        with pytest.raises(IdentityUnavailable, match="Certificate"):
            await make(url=impostor.url).lookup(Person("ann"))
        assert not impostor.asked


async def test_the_systems_authorities_are_trusted_by_default(make: Make) -> None:
    with pytest.raises(IdentityUnavailable, match="Certificate"):
        await make(ca_file=None).lookup(Person("ann"))


class TestChain:
    """The service as the settings name it, in a chain."""

    @pytest.fixture
    async def resolver(
        self, people: People, ca_file: str, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[Resolver]:
        monkeypatch.setenv("IDS_TOKEN", "Bearer secret")
        source = {
            "type": "rest",
            "url": people.url,
            "ca_file": ca_file,
            "headers": {"Authorization": {"env": "IDS_TOKEN"}, "X-Hub": "one"},
            "fields": {"uid": "/account/uidNumber", "gid": "/account/gidNumber"},
        }
        settings = {"sources": [source], "unique_uid": "off", "ttl": 0, "deadline": 2}
        resolver = build_resolver(IdentitySettings.model_validate(settings))
        yield resolver
        await resolver.close()

    async def test_a_stumble_is_not_seen(self, resolver: Resolver, people: People) -> None:
        people.answer = says_one_after_the_other(says({}, 500), says(ANN))
        assert (await resolver.resolve(Person("ann"))).uid == 1001
        assert people.headers[1]["Authorization"] == "Bearer secret"
        assert people.headers[1]["X-Hub"] == "one"

    async def test_it_is_asked_twice_at_most(self, resolver: Resolver, people: People) -> None:
        people.answer = says({}, 500)
        with pytest.raises(IdentityUnavailable):
            await resolver.resolve(Person("ann"))
        assert sum(people.asked.values()) == 2

    async def test_d31_twenty_people_are_looked_up_at_the_same_time(
        self, resolver: Resolver, people: People
    ) -> None:
        go = asyncio.Event()
        people.answer = after(go, says(ANN))
        waiting = [
            asyncio.create_task(resolver.resolve(Person(f"p{number}"))) for number in range(20)
        ]
        async with asyncio.timeout(2):
            while people.under_way < 20:  # noqa: ASYNC110 - the server counts, without an event
                await asyncio.sleep(0.01)
        go.set()
        assert [identity.uid for identity in await asyncio.gather(*waiting)] == [1001] * 20

    async def test_killed_in_the_middle_it_refuses_and_then_works_again(
        self, resolver: Resolver, people: People
    ) -> None:
        people.answer = after(asyncio.Event(), says(ANN))
        waiting = asyncio.create_task(resolver.resolve(Person("ann")))
        async with asyncio.timeout(2):
            while not people.under_way:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await people.stop()
        with pytest.raises(IdentityUnavailable):
            await waiting
        people.answer = says(ANN)
        await people.start()
        assert (await resolver.resolve(Person("ann"))).uid == 1001

    async def test_a_secret_that_is_not_there_is_no_answer(
        self, resolver: Resolver, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("IDS_TOKEN")
        with pytest.raises(IdentityUnavailable, match=r"rest: .*IDS_TOKEN is not set"):
            await resolver.resolve(Person("ann"))
        assert not people.asked
