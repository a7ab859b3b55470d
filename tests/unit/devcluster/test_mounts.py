"""Paths of a container as paths of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.devcluster.mounts import Mount, Mounts

PARTS = st.from_regex(r"[a-z]{1,5}", fullmatch=True)
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))

MOUNTS = Mounts(
    [
        Mount("/home/jovyan", Path("/claims/home")),
        Mount("/home/jovyan/shared/", Path("/claims/shared")),
        Mount("/data", Path("/claims/data")),
    ]
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/jovyan", "/claims/home"),
        ("/home/jovyan/", "/claims/home/"),
        ("/home/jovyan/work", "/claims/home/work"),
        ("/home/jovyan/shared", "/claims/shared"),
        ("/home/jovyan/shared/x", "/claims/shared/x"),
        ("/home/jovyan2", "/home/jovyan2"),
        ("/home/jovyan-2", "/home/jovyan-2"),
        ("/home/jovyan.old", "/home/jovyan.old"),
        ("/opt/home/jovyan", "/opt/home/jovyan"),
        ("/database", "/database"),
        ("--dir=/data", "--dir=/claims/data"),
        ("/data:/home/jovyan/bin:/usr/bin", "/claims/data:/claims/home/bin:/usr/bin"),
        ("cat /data/a; ls '/data'", "cat /claims/data/a; ls '/claims/data'"),
        ("http://example.test/data/x", "http://example.test/data/x"),
        ("file:///data/x", "file:///data/x"),
        ("../data", "../data"),
        ("~/data", "~/data"),
        ("", ""),
    ],
)
def test_rewrite(text: str, expected: str) -> None:
    assert MOUNTS.rewrite(text) == expected


@given(paths=st.lists(PATHS, unique=True, max_size=4), below=PATHS)
def test_the_innermost_mount_wins(paths: list[str], below: str) -> None:
    mounts = Mounts([Mount(path, Path(f"/source{i}")) for i, path in enumerate(paths)])
    for i, path in enumerate(paths):
        full = path + below
        innermost = max(
            (other for other in paths if full == other or full.startswith(f"{other}/")), key=len
        )
        expected = f"/source{paths.index(innermost)}{full.removeprefix(innermost)}"
        assert mounts.rewrite(full) == expected
        assert mounts.rewrite(path) == f"/source{i}"
        assert mounts.covers(full)


@given(text=st.text())
def test_without_mounts_nothing_changes(text: str) -> None:
    assert Mounts([]).rewrite(text) == text
    assert not Mounts([]).covers("/")


def test_nothing_is_mounted_at_the_root() -> None:
    mounts = Mounts([Mount("/", Path("/source"))])
    assert mounts.rewrite("/a b /") == "/a b /"


def test_mounts_below_mounts() -> None:
    assert MOUNTS.nested() == [(Path("/claims/home"), "shared", Path("/claims/shared"))]
