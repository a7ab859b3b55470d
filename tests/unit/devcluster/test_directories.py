"""Directories that are made as root in places where somebody else can make links."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jhext.devcluster.directories import (
    Owner,
    UnsafePathError,
    link_below,
    make_below,
    make_passage,
    make_root,
    share,
    unlink_below,
)

ME = Owner(os.geteuid(), os.getegid())
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_passage_cannot_be_listed(tmp_path: Path) -> None:
    make_passage(tmp_path / "a" / "b")
    assert mode(tmp_path / "a" / "b") & 0o066 == 0


def test_root_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "claim"
    make_root(path, None)
    assert mode(path) == 0o700
    (path / "file").touch()
    path.chmod(0o750)
    make_root(path, ME)
    assert mode(path) == 0o750
    assert (path / "file").exists()


def test_below(tmp_path: Path) -> None:
    assert make_below(tmp_path, "a/b", None) == tmp_path / "a" / "b"
    assert make_below(tmp_path, "a/b", None).is_dir()
    assert make_below(tmp_path, "", None) == tmp_path
    assert mode(tmp_path / "a") == 0o700


@pytest.mark.parametrize("path", ["/etc", "..", "a/../../b", "link/x", "link", "file", "file/x"])
def test_below_stays_below(tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside"
    root = tmp_path / "root"
    for directory in (outside, root):
        directory.mkdir()
    (root / "link").symlink_to(outside)
    (root / "file").touch()
    with pytest.raises(UnsafePathError):
        make_below(root, path, ME)
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "b").exists()


def test_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    root = tmp_path / "root"
    root.mkdir()
    for goal in (target, tmp_path / "other"):
        link_below(root, "a/link", goal, None)
        assert (root / "a" / "link").readlink() == goal


def test_link_takes_nothing_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "directory").mkdir()
    for name in ("file", "directory"):
        link_below(tmp_path, name, Path("/elsewhere"), None)
        assert not (tmp_path / name).is_symlink()
    assert (tmp_path / "file").read_text() == "mine"


def test_unlink_takes_only_its_own(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    link_below(tmp_path, "link", mine, None)
    unlink_below(tmp_path, "link", other)
    assert (tmp_path / "link").is_symlink()
    unlink_below(tmp_path, "link", mine)
    assert not (tmp_path / "link").is_symlink()
    (tmp_path / "link").write_text("mine")
    with pytest.raises(OSError, match="Invalid argument"):
        unlink_below(tmp_path, "link", mine)


@as_root
def test_new_directories_belong_to_the_owner(tmp_path: Path) -> None:
    make_root(tmp_path / "v", Owner(2001, 2004, shared=True))
    made = make_below(tmp_path / "v", "a/b", Owner(2001, 2004, shared=True))
    for path in (made, made.parent, tmp_path / "v"):
        assert (path.stat().st_uid, path.stat().st_gid) == (2001, 2004)
        assert mode(path) == 0o2770


@as_root
def test_sharing_does_not_follow_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    root = tmp_path / "root"
    for directory in (outside, root):
        directory.mkdir()
        (directory / "file").touch()
    (root / "link").symlink_to(outside)
    (root / "file-link").symlink_to(outside / "file")
    share(root, 2004)
    assert (root / "file").stat().st_gid == 2004
    assert root.stat().st_gid == 2004
    for path in (outside, outside / "file"):
        assert path.stat().st_gid == os.getegid()
