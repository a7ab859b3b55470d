"""People in passwd and group files."""

from pathlib import Path

import pytest

from jhext.identity.errors import IdentityRefused, IdentityUnavailable
from jhext.identity.files import FilesSource, load_passwd
from jhext.identity.source import Answer, Person, Workers
from jhext.identity.watched import WatchedFile

PASSWD = """\
# people
ann:x:1001:2001:Ann Lee,Room 7,+49 1:/nfs/2/ann:/bin/zsh

bob:x:1002:2001::/home/bob:
anna:x:1003
eve:x:1004:2001:::
eve:x:0:0:::
"""
GROUP = """\
lab:x:2001:
gpu:x:5001:bob,ann
staff:x:5002:annika
broken:x:5003:ann:extra
"""


@pytest.fixture
def passwd(tmp_path: Path) -> Path:
    path = tmp_path / "passwd"
    path.write_text(PASSWD)
    return path


@pytest.fixture
def group(tmp_path: Path) -> Path:
    path = tmp_path / "group"
    path.write_text(GROUP)
    return path


async def looked_up(source: FilesSource, name: str) -> Answer | None:
    return await source.lookup(Person(name))


async def test_a_person_with_groups(passwd: Path, group: Path, workers: Workers) -> None:
    assert await looked_up(FilesSource("files", passwd, group, workers), "ann") == {
        "username": "ann",
        "uid": "1001",
        "gid": "2001",
        "gecos": "Ann Lee",
        "home": "/nfs/2/ann",
        "shell": "/bin/zsh",
        "groups": [{"name": "lab", "gid": "2001"}, {"name": "gpu", "gid": "5001"}],
    }


@pytest.mark.parametrize("name", ["an", "annika", "Ann", "ann ", "", "# people", "x"])
async def test_d26_other_names_are_not_known(
    name: str, passwd: Path, group: Path, workers: Workers
) -> None:
    assert await looked_up(FilesSource("files", passwd, group, workers), name) is None


@pytest.mark.parametrize("name", ["anna", "eve"])
async def test_d23_a_line_that_is_there_twice_or_malformed_is_nobodys(
    name: str, passwd: Path, workers: Workers
) -> None:
    with pytest.raises(IdentityRefused, match="twice or malformed"):
        await looked_up(FilesSource("files", passwd, None, workers), name)


async def test_groups_alone(group: Path, workers: Workers) -> None:
    source = FilesSource("files", None, group, workers)
    assert await looked_up(source, "bob") == {"groups": [{"name": "gpu", "gid": "5001"}]}


def test_only_a_line_feed_ends_a_line(passwd: Path) -> None:
    passwd.write_text("ann:x:1001:2001:A\u2028eve:x:0:0::/:\n", encoding="utf-8")
    assert load_passwd(passwd) == {"ann": None}


async def test_a_changed_file_is_read_again(passwd: Path, workers: Workers) -> None:
    source = FilesSource("files", passwd, None, workers)
    await looked_up(source, "ann")
    await workers.run(passwd.write_text, "ann:x:1009:2001:::\n")
    answer = await looked_up(source, "ann")
    assert answer is not None
    assert answer["uid"] == "1009"


async def test_a_config_map_that_is_switched_is_read_again(
    tmp_path: Path, workers: Workers
) -> None:
    for version, uid in (("v1", 1001), ("v2", 1009)):
        (tmp_path / version).mkdir()
        (tmp_path / version / "passwd").write_text(f"ann:x:{uid}:2001:::\n")
    current = tmp_path / "..data"
    current.symlink_to("v1")
    source = FilesSource("files", current / "passwd", None, workers)
    await looked_up(source, "ann")
    (tmp_path / "next").symlink_to("v2")
    (tmp_path / "next").rename(current)
    answer = await looked_up(source, "ann")
    assert answer is not None
    assert answer["uid"] == "1009"


def test_an_unchanged_file_is_not_read_again(passwd: Path) -> None:
    file = WatchedFile(passwd, load_passwd)
    assert file.value() is file.value()


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * (16 * 1024 * 1024 + 1)])
async def test_a_file_that_cannot_be_read_is_no_answer(
    content: bytes | None, tmp_path: Path, workers: Workers
) -> None:
    path = tmp_path / "passwd"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(IdentityUnavailable, match="passwd") as unavailable:
        await looked_up(FilesSource("files", path, None, workers), "ann")
    assert not unavailable.value.transient
