"""The program that prepares directories before a server starts: ``python3 -I -c SOURCE PLAN``.

It runs in images that know nothing of jhext, so this one file needs only the standard library of
Python 3.7 or newer. ``PLAN`` is one argument, JSON as `main` describes it. No name in it reaches a
shell, and none leads out of the root it is relative to: every step down is one ``openat`` that
follows no link, and what was opened is what is looked at and changed.

It changes nothing that is there already, with one exception: where it may give directories away,
an *empty* one gets the owner and the mode it should have. It may run as often, and as many times at
once, as there are starts.
"""

# pathlib knows no descriptors.
# ruff: noqa: PTH123

from __future__ import annotations

import errno
import json
import os
import stat
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

MAX_ID = 2**32 - 2  # the one above it means "leave it as it is"
WAIT_SECONDS = 5.0  # for another start that has just made a directory and not yet given it away
MARKER = ".jhext-seeding"  # is there while a directory is being filled
NO_CONTENT = {MARKER, "lost+found"}
FOLLOW_NOTHING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
DIRECTORY = FOLLOW_NOTHING | os.O_DIRECTORY


class PreparationError(Exception):
    """What keeps a directory from being prepared, for the person who waits."""


def main(plan: dict[str, Any]) -> list[str]:
    """Do what a plan says, and return warnings.

    Parameters
    ----------
    plan
        ``directories``, each with ``label`` (what messages call it), ``root``, ``path`` below it
        (empty for the root itself), ``mode``, and ``owner`` and ``group``, which may be null, and
        ``moved_from``, where it was until now: if there is anything, it is not made.
        ``gives_away``: whether this is root, who may make directories for others. Of the first of
        the directories: ``room``, or null, see `check_room`; ``fill``, or null, see `fill`.

    Raises
    ------
    PreparationError
        Something is not as it should be and may not be made so.
    """
    os.umask(0)
    warnings: list[str] = []
    opened = [ensure(wanted, plan["gives_away"], warnings) for wanted in plan["directories"]]
    for wanted, descriptor in zip(plan["directories"], opened):  # noqa: B905 - 3.10 knows strict
        if not os.access(".", os.R_OK | os.W_OK | os.X_OK, dir_fd=descriptor):
            raise PreparationError(
                "{} cannot be written by uid {}".format(wanted["label"], os.getuid())
            )
    label = plan["directories"][0]["label"]
    try:
        if plan["room"] is not None:
            check_room(opened[0], plan["room"], label)
        if plan["fill"] is not None:
            fill(opened[0], plan["fill"], warnings)
    except OSError as error:
        fail(error, label)
    return warnings


def checked_id(number: int) -> int:
    """Return an id that a file may have."""
    if not 0 <= number <= MAX_ID:
        raise PreparationError(f"{number} is no id of a user or group")
    return number


def fail(error: OSError, label: str) -> NoReturn:
    """Say in words what the system said in a number."""
    name = "" if error.filename is None else f" ({error.filename!a})"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise PreparationError(f"there is no space left in {label}{name}") from error
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        text = "{} is a symbolic link or a file, and no directory{}"
        raise PreparationError(text.format(label, name)) from error
    raise PreparationError(f"{label}{name}: {error.strerror}") from error


def steps(path: str) -> list[str]:
    """Split a relative path into names that each lead one step down."""
    names = path.split("/") if path else []
    if any(name in ("", ".", "..") or "\0" in name for name in names):
        raise PreparationError(f"{path!a} is no path below a root")
    return names


def ensure(wanted: dict[str, Any], gives_away: bool, warnings: list[str]) -> int:
    """Make a directory if it is missing, look whose it is, and return its descriptor."""
    label = wanted["label"]
    for number in (wanted["owner"], wanted["group"]):
        if number is not None:
            checked_id(number)
    try:
        here = os.open(wanted["root"], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        *parents, last = steps(wanted["path"]) or [""]
        makes = not wanted["moved_from"]
        for name in parents:
            here = down(here, name, 0o755 if gives_away and makes else None)
        if last and not makes:
            here = down(here, last, None)
        elif last:
            try:
                os.mkdir(last, 0o700, dir_fd=here)
            except FileExistsError:
                here = down(here, last, None)
            else:
                return new(here, last, wanted, gives_away)
        return existing(here, wanted, gives_away, warnings)
    except OSError as error:
        if error.errno == errno.ENOENT and wanted["moved_from"]:
            text = "{} is missing; until now it was {}"
            raise PreparationError(text.format(label, ascii(wanted["moved_from"]))) from error
        if error.errno == errno.ENOENT and not gives_away:
            text = "{} is missing, and above it {}, which only the mode `chown` makes"
            raise PreparationError(text.format(label, ascii(error.filename))) from error
        fail(error, label)


def down(here: int, name: str, mode: int | None) -> int:
    """Go one step down, after making the directory if there is a mode for it."""
    if mode is not None:
        with suppress(FileExistsError):
            os.mkdir(name, mode, dir_fd=here)
    below = os.open(name, DIRECTORY, dir_fd=here)
    os.close(here)
    return below


def new(parent: int, name: str, wanted: dict[str, Any], gives_away: bool) -> int:
    """Give a directory that was just made the owner, group and mode it should have."""
    try:
        here = os.open(name, DIRECTORY, dir_fd=parent)
        settle(here, wanted, gives_away)
        owner = os.fstat(here).st_uid
        if wanted["owner"] not in (None, owner):
            text = "the storage gives {} to uid {}, not to {}; does it squash ids?"
            raise PreparationError(text.format(wanted["label"], owner, wanted["owner"]))
    except BaseException:
        with suppress(OSError):  # somebody put something into it
            os.rmdir(name, dir_fd=parent)
        raise
    return here


def settle(here: int, wanted: dict[str, Any], gives_away: bool) -> None:
    """Give a directory its owner, as far as this may be done, its group and its mode."""
    owner = wanted["owner"] if gives_away and wanted["owner"] is not None else -1
    group = wanted["group"] if wanted["group"] is not None else -1
    if (owner, group) != (-1, -1):
        os.fchown(here, owner, group)
    os.fchmod(here, wanted["mode"])  # last: to change the owner or the group takes setgid away


def existing(here: int, wanted: dict[str, Any], gives_away: bool, warnings: list[str]) -> int:
    """Look whether a directory that was there is the one it should be."""
    label = wanted["label"]
    end = time.monotonic() + WAIT_SECONDS
    while True:
        found = os.fstat(here)
        wrong = [
            f"{what} {is_} and not {should}"
            for what, is_, should in (
                ("uid", found.st_uid, wanted["owner"]),
                ("gid", found.st_gid, wanted["group"]),
            )
            if should not in (None, is_)
        ]
        if not wrong:
            mode = stat.S_IMODE(found.st_mode)
            if mode != wanted["mode"]:
                text = "{} has mode {:o} and not {:o}; it stays so"
                warnings.append(text.format(label, mode, wanted["mode"]))
            return here
        if gives_away and is_empty(here):
            settle(here, wanted, gives_away)
            return here
        if found.st_nlink == 0 or not is_empty(here) or time.monotonic() > end:
            raise PreparationError("{} belongs to {}".format(label, " and to ".join(wrong)))
        time.sleep(0.1)


def is_empty(here: int) -> bool:
    """Tell whether nothing is in a directory that anybody put there."""
    with os.scandir(here) as entries:
        return all(entry.name in NO_CONTENT for entry in entries)


def check_room(home: int, wanted: dict[str, Any], label: str) -> None:
    """Try whether something can still be written: of quotas a file system does not tell otherwise.

    Parameters
    ----------
    home
        The directory.
    wanted
        ``bytes``: how much; ``hint``: what the person can do where there is no room.
    label
        What messages call the directory.
    """
    probe = ".jhext-" + os.urandom(8).hex()
    descriptor = os.open(probe, NEW_FILE, 0o600, dir_fd=home)
    try:
        left = wanted["bytes"]
        while left > 0:
            left -= os.write(descriptor, bytes(min(left, 2**20)))
        os.fsync(descriptor)  # over a network, only this tells
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise PreparationError("{} is full. {}".format(label, wanted["hint"])) from error
    finally:
        os.unlink(probe, dir_fd=home)
        os.close(descriptor)


def fill(home: int, wanted: dict[str, Any], warnings: list[str]) -> None:
    """Put into a directory what should be in it and is not there.

    Parameters
    ----------
    home
        The directory.
    wanted
        ``umask``; ``copies``, each with ``source`` (a path in the image), ``target`` (a path below
        the home) and ``when`` (``if_empty``: only into a directory without content, or one whose
        filling was interrupted; ``sync``: whatever is missing, each time); and ``directories``,
        each with ``path`` and ``mode``.
    warnings
        What is left out is told here.
    """
    umask = wanted["umask"]
    targets = {}
    for copy in wanted["copies"]:
        if copy["target"] not in targets:
            targets[copy["target"]] = make(home, copy["target"], 0o777 & ~umask, warnings)
    there = {path: here for path, here in targets.items() if here is not None}
    empty = {p: here for p, here in there.items() if is_empty(here) or exists(MARKER, here)}
    for here in empty.values():
        flags = NEW_FILE & ~os.O_EXCL
        os.close(os.open(MARKER, flags, 0o600, dir_fd=here))
    for copy in wanted["copies"]:
        if copy["target"] in (there if copy["when"] == "sync" else empty):
            seed(copy["source"], there[copy["target"]], umask)
    for directory in wanted["directories"]:
        make(home, directory["path"], directory["mode"], warnings)
    for here in empty.values():
        with suppress(FileNotFoundError):  # another start was faster
            os.unlink(MARKER, dir_fd=here)


def make(home: int, path: str, mode: int, warnings: list[str]) -> int | None:
    """Open a directory below another, after making what of it is missing.

    A person may have put a link or a file there: it stays, and there is no directory.
    """
    here = os.dup(home)
    try:
        for name in steps(path):
            here = down(here, name, mode)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        warnings.append(f"{path!a} is no directory and is left as it is")
        return None
    return here


def seed(source: str, target: int, umask: int) -> None:
    """Copy what is missing from a directory of the image."""
    try:
        top = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        text = "{} of the image cannot be copied: {}"
        raise PreparationError(text.format(ascii(source), error.strerror)) from error
    found = os.fstat(target)
    copy_tree(top, os.dup(target), umask, (found.st_dev, found.st_ino))


def copy_tree(source: int, target: int, umask: int, top: tuple[int, int]) -> None:
    """Copy what is missing; what is there stays, whatever it is. Closes both descriptors."""
    for name in sorted(os.listdir(source)):
        found = os.stat(name, dir_fd=source, follow_symlinks=False)
        kind = stat.S_IFMT(found.st_mode)
        mode = stat.S_IMODE(found.st_mode) & 0o777 & ~umask
        if kind == stat.S_IFDIR and (found.st_dev, found.st_ino) != top:
            with suppress(FileExistsError):
                os.mkdir(name, mode | 0o700, dir_fd=target)
            if is_directory(name, target):
                below = os.open(name, DIRECTORY, dir_fd=target)
                copy_tree(os.open(name, DIRECTORY, dir_fd=source), below, umask, top)
        elif kind == stat.S_IFLNK:
            with suppress(FileExistsError):
                os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        elif kind == stat.S_IFREG and not exists(name, target):
            copy_file(source, target, name, mode | 0o600)
    os.close(source)
    os.close(target)


def is_directory(name: str, where: int) -> bool:
    """Tell whether a name is that of a directory itself."""
    return stat.S_ISDIR(os.stat(name, dir_fd=where, follow_symlinks=False).st_mode)


def exists(name: str, where: int) -> bool:
    """Tell whether a name is taken, be it by a link that leads nowhere."""
    try:
        os.stat(name, dir_fd=where, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def copy_file(source: int, target: int, name: str, mode: int) -> None:
    """Copy a file so that it is there whole or not at all."""
    partial = ".jhext-" + os.urandom(8).hex()
    with open(os.open(name, FOLLOW_NOTHING, dir_fd=source), "rb") as reader:
        try:
            with open(os.open(partial, NEW_FILE, mode, dir_fd=target), "wb") as writer:
                for block in iter(lambda: reader.read(2**20), b""):
                    writer.write(block)
            place(partial, name, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(partial, dir_fd=target)


def place(partial: str, name: str, where: int) -> None:
    """Give a file its name, unless another has got it meanwhile."""
    try:
        os.link(partial, name, src_dir_fd=where, dst_dir_fd=where, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError as error:
        # Not all storage knows hard links.
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
            raise
        if not exists(name, where):
            os.rename(partial, name, src_dir_fd=where, dst_dir_fd=where)


if __name__ == "__main__":
    try:
        for line in main(json.loads(sys.argv[1])):
            print("warning:", line)
    except PreparationError as problem:
        sys.exit(str(problem))
