"""Ids for whom no directory knows: who gets one, and who does not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jhext.identity.allocate import Ranges, Registry, complete
from jhext.identity.errors import IdentityUnavailable
from jhext.identity.precedence import Rules
from jhext.identity.resolve import Limits, Resolver
from jhext.identity.source import Answer, Person, Source, Workers

ANN = Person("ann")


class Known(Source):
    """Says what it is told to."""

    def __init__(self, answer: Answer | Exception | None) -> None:
        super().__init__("campus")
        self.answer = answer

    async def lookup(self, person: Person) -> Answer | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    workers = Workers(4)
    registry = Registry(
        f"sqlite:///{tmp_path}/ids.sqlite", Ranges((5000, 5999), (7000, 7999)), workers
    )
    yield registry
    await registry.close()
    workers.close()


def resolver(registry: Registry, answer: Answer | Exception | None) -> Resolver:
    rules = Rules(user_private_groups=True)
    return Resolver([Known(answer)], rules, Limits(), workers=Workers(1), registry=registry)


@pytest.mark.parametrize(
    ("answer", "uid", "gid", "groups"),
    [
        (None, 5000, 5000, {"ann": 5000}),
        ({"email": "ann@example.org"}, 5000, 5000, {"ann": 5000}),
        ({"uid": ""}, 5000, 5000, {"ann": 5000}),
        ({"uid": 1001, "gid": 100}, 1001, 100, {}),
        ({"uid": "1001"}, 1001, 1001, {"ann": 1001}),
        ({"gid": 100}, 5000, 100, {}),
        ({"groups": {"lab": None, "hpc": 3000}}, 5000, 5000, {"hpc": 3000, "lab": 7000}),
        ({"groups": [{"name": "lab"}]}, 5000, 5000, {"lab": 7000}),
        ({"groups": [{"name": "lab", "gid": None}, {"name": "b:d"}]}, 5000, 5000, {"lab": 7000}),
    ],
)
async def test_who_has_no_id_gets_one(
    registry: Registry, answer: Answer | None, uid: int, gid: int, groups: dict[str, int]
) -> None:
    identity = await resolver(registry, answer).resolve(ANN)
    assert (identity.uid, identity.gid) == (uid, gid)
    assert {group.name: group.gid for group in identity.groups}.items() >= groups.items()
    assert identity.sources["uid"] == ("allocated" if uid == 5000 else "campus")


async def test_the_gid_of_another_source_comes_before_a_new_one(registry: Registry) -> None:
    answers: list[tuple[str, Answer]] = [
        ("idp", {"uid": 1001, "groups": {"lab": None}}),
        ("campus", {"groups": {"lab": 3000}}),
    ]
    completed = await complete(registry, ANN, answers)
    assert [name for name, _ in completed] == ["idp", "campus"]
    assert await registry.entries() == []


async def test_nobody_gets_an_id_while_a_source_does_not_answer(registry: Registry) -> None:
    with pytest.raises(IdentityUnavailable):
        await resolver(registry, IdentityUnavailable("campus: down")).resolve(ANN)
    assert await registry.entries() == []


async def test_the_id_at_the_source_is_what_a_number_belongs_to(registry: Registry) -> None:
    ask = {"subject": 42, "email": "ann@example.org"}
    first = await resolver(registry, ask).resolve(ANN)
    renamed = await resolver(registry, ask).resolve(Person("ann-lee"))
    other = await resolver(registry, {"subject": 43}).resolve(ANN)
    assert first.uid == renamed.uid != other.uid
    assert (first.subject, other.subject) == ("campus:42", "campus:43")


@pytest.mark.parametrize("groups", ["lab", ["lab"], 7, [None], {7: None}, [{"name": ["x"]}]])
async def test_what_are_no_groups_gets_no_gid(registry: Registry, groups: Any) -> None:
    completed = await complete(registry, ANN, [("campus", {"uid": 1001, "groups": groups})])
    assert completed == [("campus", {"uid": 1001, "groups": groups})]
    assert await registry.entries() == []
