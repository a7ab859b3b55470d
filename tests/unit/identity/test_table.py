"""People in a table."""

from pathlib import Path
from typing import Any

import pytest

from jhext.identity.errors import IdentityRefused, IdentityUnavailable
from jhext.identity.source import Answer, Person, Workers
from jhext.identity.table import TableSource, load_csv, load_yaml

YAML = """\
ann@example.org:
  username: ann
  uid: 1001
  groups: {lab: 5001}
  claims: {affiliation: staff}
bob:
odd: [1]
"""
CSV = """\
name,uid,gid,gecos,groups
ann,1001,2001,"Lee, Ann",lab=5001;gpu=5002
bob,1002,2001,,
twice,1003,2001,,
twice,0,0,,
short,1004
long,1005,2001,,,x
odd,1006,2001,,lab
"""


def table(path: Path, text: str, workers: Workers) -> TableSource:
    path.write_text(text, encoding="utf-8")
    return TableSource("table", path, load_csv if path.suffix == ".csv" else load_yaml, workers)


async def looked_up(source: TableSource, name: str) -> Answer | None:
    return await source.lookup(Person(name))


async def test_yaml(tmp_path: Path, workers: Workers) -> None:
    source = table(tmp_path / "people.yaml", YAML, workers)
    assert await looked_up(source, "ann@example.org") == {
        "username": "ann",
        "uid": 1001,
        "groups": {"lab": 5001},
        "claims": {"affiliation": "staff"},
    }
    assert await looked_up(source, "ann") is None


@pytest.mark.parametrize("name", ["bob", "odd"])
async def test_a_person_who_is_no_mapping_is_refused(
    name: str, tmp_path: Path, workers: Workers
) -> None:
    with pytest.raises(IdentityRefused):
        await looked_up(table(tmp_path / "people.yaml", YAML, workers), name)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
async def test_csv(mark: str, tmp_path: Path, workers: Workers) -> None:
    source = table(tmp_path / "people.csv", mark + CSV, workers)
    assert await looked_up(source, "ann") == {
        "uid": "1001",
        "gid": "2001",
        "gecos": "Lee, Ann",
        "groups": [{"name": "lab", "gid": "5001"}, {"name": "gpu", "gid": "5002"}],
    }
    bob: Any = await looked_up(source, "bob")
    assert bob["groups"] == []
    odd: Any = await looked_up(source, "odd")
    assert odd["groups"] == [{"name": "lab", "gid": ""}]


@pytest.mark.parametrize("name", ["twice", "short", "long"])
async def test_d23_a_row_that_is_there_twice_or_malformed_is_nobodys(
    name: str, tmp_path: Path, workers: Workers
) -> None:
    with pytest.raises(IdentityRefused, match="twice or malformed"):
        await looked_up(table(tmp_path / "people.csv", CSV, workers), name)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("p.yaml", "ann: {uid: 1}\nann: {uid: 2}\n", "twice"),
        ("p.yaml", "ann: {uid: 1, uid: 2}\n", "twice"),
        ("p.yaml", "- ann\n", "not a mapping"),
        ("p.yaml", "1001: {uid: 1001}\n", "need quotes"),
        ("p.yaml", "ann: !!python/object/apply:os.getpid []\n", "nothing here can be"),
        ("p.yaml", "{", "p.yaml"),
        ("p.yaml", "", "not a mapping"),
        ("p.csv", "", "no column 'name'"),
        ("p.csv", "user,uid\n", "no column 'name'"),
        ("p.csv", "name,uidNumber\n", "no meaning: uidNumber"),
        ("p.csv", 'name,uid\n"ann"x,1\n', "not CSV"),
    ],
)
async def test_a_broken_table_is_no_answer(
    name: str, text: str, why: str, tmp_path: Path, workers: Workers
) -> None:
    source = table(tmp_path / name, text, workers)
    with pytest.raises(IdentityUnavailable, match=why):
        await looked_up(source, "ann")
