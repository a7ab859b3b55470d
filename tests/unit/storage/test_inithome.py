"""The program of the init container, run as it is run there: ``python3 -I -c SOURCE PLAN``."""

from __future__ import annotations

import ast
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.storage import inithome

SOURCE = Path(inithome.__file__).read_text()
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be several people")
ALICE, BOB, LAB = 3001, 3002, 5001


def directory(root: Path, path: str = "alice", **changed: Any) -> dict[str, Any]:
    mine = {"mode": 0o700, "owner": None, "group": None, "moved_from": ""}
    return {"label": "your home", "root": str(root), "path": path, **mine, **changed}


def copy(source: Path | str, when: str = "if_empty", target: str = "") -> dict[str, str]:
    return {"source": str(source), "target": target, "when": when}


def filled(*copies: dict[str, str], umask: int = 0o022, **directories: int) -> dict[str, Any]:
    wanted = [{"path": path, "mode": mode} for path, mode in directories.items()]
    return {"umask": umask, "copies": list(copies), "directories": wanted}


def run(
    *directories: dict[str, Any],
    uid: int | None = None,
    gids: tuple[int, ...] = (),
    gives_away: bool = False,
    fill: dict[str, Any] | None = None,
    room: dict[str, Any] | None = None,
) -> subprocess.CompletedProcess[str]:
    plan = {"directories": directories, "gives_away": gives_away, "fill": fill, "room": room}
    who: dict[str, Any] = {} if uid is None else {"user": uid, "group": uid, "extra_groups": gids}
    command = ["/usr/bin/python3", "-I", "-c", SOURCE, json.dumps(plan)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **who)


def succeed(*directories: dict[str, Any], **how: Any) -> str:
    done = run(*directories, **how)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refuse(*directories: dict[str, Any], **how: Any) -> str:
    done = run(*directories, **how)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def state(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for many uids: pytest's own is root's alone."""
    with tempfile.TemporaryDirectory(prefix="jhext-homes-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def root(place: Path) -> Path:
    """A volume that everybody may make directories in, as homes on NFS often are."""
    volume = place / "volume"
    volume.mkdir()
    volume.chmod(0o1777)
    return volume


@pytest.fixture
def skel(place: Path) -> Path:
    folder = place / "skel"
    (folder / "notebooks" / "deep").mkdir(parents=True)
    (folder / ".profile").write_text("umask 027\n")
    (folder / "notebooks" / "deep" / "first.ipynb").write_text("{}")
    (folder / "run.sh").write_text("true")
    (folder / "run.sh").chmod(0o6755)
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    return folder


def test_the_source_is_that_of_old_pythons() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 7))
    imported = {
        name.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    # One argument is limited to 128 KiB, and each pod carries it.
    assert len(SOURCE.encode()) < 16 * 1024


def test_a_home_is_made_and_found_again(root: Path) -> None:
    assert succeed(directory(root)) == ""
    assert state(root / "alice")[2] == 0o700
    (root / "alice" / "work").write_text("mine")
    assert succeed(directory(root)) == ""
    assert (root / "alice" / "work").read_text() == "mine"


def test_the_umask_of_the_image_changes_no_mode(root: Path) -> None:
    before = os.umask(0o077)
    try:
        succeed(directory(root, mode=0o750))
    finally:
        os.umask(before)
    assert state(root / "alice")[2] == 0o750


def test_another_mode_is_told_and_stays(root: Path) -> None:
    (root / "alice").mkdir(mode=0o755)
    assert "has mode 755 and not 700" in succeed(directory(root))
    assert state(root / "alice")[2] == 0o755


@AS_ROOT
def test_d18_home_is_the_persons_own_in_the_mode_asked_for(root: Path) -> None:
    for uid, name in ((ALICE, "alice"), (BOB, "bob")):
        succeed(directory(root, name, owner=uid), uid=uid)
        assert state(root / name) == (uid, uid, 0o700)


@AS_ROOT
@pytest.mark.parametrize("content", [True, False])
def test_d39_somebody_elses_home_is_refused(
    root: Path, content: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", without_waiting())
    home = root / "alice"
    home.mkdir()
    home.chmod(0o777)
    os.chown(home, BOB, BOB)
    if content:
        (home / "file").touch()
    message = refuse(directory(root, owner=ALICE), uid=ALICE)
    assert message == "your home belongs to uid 3002 and not 3001\n"
    assert state(home) == (BOB, BOB, 0o777)


def without_waiting() -> str:
    return SOURCE.replace("WAIT_SECONDS = 5.0", "WAIT_SECONDS = 0.0")


@AS_ROOT
def test_root_gives_away_only_what_is_new_or_empty(root: Path) -> None:
    wanted = directory(root, "a/alice", owner=ALICE, group=ALICE)
    succeed(wanted, gives_away=True)
    assert state(root / "a") == (0, 0, 0o755)
    assert state(root / "a" / "alice") == (ALICE, ALICE, 0o700)
    os.chown(root / "a" / "alice", BOB, BOB)
    succeed(wanted, gives_away=True)
    assert state(root / "a" / "alice") == (ALICE, ALICE, 0o700)
    os.chown(root / "a" / "alice", BOB, BOB)
    (root / "a" / "alice" / "file").touch()
    assert "belongs to uid 3002 and not 3001" in refuse(wanted, gives_away=True)
    assert state(root / "a" / "alice") == (BOB, BOB, 0o700)


@AS_ROOT
def test_a_directory_above_is_made_by_root_alone(root: Path) -> None:
    message = refuse(directory(root, "a/alice", owner=ALICE), uid=ALICE)
    assert message == (
        "your home is missing, and above it 'a', which only the mode `chown` makes\n"
    )
    assert list(root.iterdir()) == []


@AS_ROOT
def test_group_directory_is_the_groups_with_setgid(root: Path) -> None:
    """Who comes second finds it as it should be, though it is the first one's."""
    wanted = directory(root, "lab", group=LAB, mode=0o2770)
    succeed(wanted, uid=ALICE, gids=(LAB,))
    assert state(root / "lab") == (ALICE, LAB, 0o2770)
    assert succeed(wanted, uid=BOB, gids=(LAB,)) == ""
    subprocess.run(
        ["/usr/bin/touch", root / "lab" / "file"], user=BOB, group=BOB, extra_groups=[LAB]
    ).check_returncode()
    assert state(root / "lab" / "file")[:2] == (BOB, LAB)


@AS_ROOT
def test_nobody_makes_a_directory_of_a_group_that_is_not_theirs(root: Path) -> None:
    assert "Operation not permitted" in refuse(directory(root, "lab", group=LAB), uid=ALICE)
    assert list(root.iterdir()) == []


@AS_ROOT
def test_home_that_cannot_be_written_is_refused(root: Path) -> None:
    root.chmod(0o755)
    assert refuse(directory(root, ""), uid=ALICE) == "your home cannot be written by uid 3001\n"


@AS_ROOT
def test_lost_and_found_is_no_content(root: Path) -> None:
    """A new file system is root's, and has this directory of its own."""
    root.chmod(0o755)
    (root / "lost+found").mkdir()
    succeed(directory(root, "", owner=ALICE), gives_away=True)
    assert state(root) == (ALICE, 0, 0o700)


@pytest.mark.parametrize("path", ["..", "../x", "a/../../x", "a//b", "/etc", ".", "a/.", "a\0b"])
def test_no_path_leads_out(root: Path, path: str) -> None:
    assert "is no path below a root" in refuse(directory(root, path), gives_away=True)
    assert sorted(root.parent.iterdir()) == [root]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_f_any_name_is_made_below_the_root_or_nowhere(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        root.mkdir()
        wanted = directory(root, name)
        try:
            inithome.main({"directories": [wanted], "gives_away": True, "fill": None, "room": None})
        except inithome.PreparationError:
            assert list(root.iterdir()) == []
        else:
            assert (root / name).is_dir()
        assert list(Path(folder).iterdir()) == [root]


@pytest.mark.parametrize("gives_away", [True, False])
@pytest.mark.parametrize("path", ["alice", "a/alice"])
def test_no_link_is_followed(root: Path, place: Path, path: str, gives_away: bool) -> None:
    victim = place / "victim"
    (victim / "alice").mkdir(parents=True)
    (root / path.split("/", maxsplit=1)[0]).symlink_to(victim)
    before = state(victim), state(victim / "alice")
    message = refuse(directory(root, path, owner=BOB, mode=0o777), gives_away=gives_away)
    assert "is a symbolic link or a file, and no directory" in message
    assert (state(victim), state(victim / "alice")) == before


def test_a_file_in_place_of_a_home_is_refused(root: Path) -> None:
    (root / "alice").write_text("")
    assert "is a symbolic link or a file, and no directory" in refuse(directory(root))


@AS_ROOT
def test_a_name_that_becomes_a_link_meanwhile_is_not_followed(root: Path, place: Path) -> None:
    """Somebody exchanges the home for a link as fast as they can, while root gives it away."""
    victim = place / "victim"
    victim.mkdir(mode=0o700)
    exchange = (
        "import os, sys\n"
        "root, victim = sys.argv[1:]\n"
        "os.chdir(root)\n"
        "print('up', flush=True)\n"
        "while True:\n"
        "    for make in (lambda: os.symlink(victim, 'alice'), lambda: os.mkdir('alice')):\n"
        "        for undo in (os.unlink, os.rmdir):\n"
        "            try: undo('alice')\n"
        "            except OSError: pass\n"
        "        try: make()\n"
        "        except OSError: pass\n"
    )
    attacker = subprocess.Popen(
        [sys.executable, "-I", "-c", exchange, root, victim], stdout=subprocess.PIPE
    )
    try:
        assert attacker.stdout
        attacker.stdout.readline()
        plan = {
            "directories": [directory(root, owner=ALICE, mode=0o755)],
            "fill": None,
            "room": None,
        }
        refused = 0
        while refused < 20:
            try:
                inithome.main({**plan, "gives_away": True})
            except inithome.PreparationError:
                refused += 1
            assert state(victim) == (0, 0, 0o700)
    finally:
        attacker.kill()
        attacker.communicate()


@AS_ROOT
def test_many_starts_at_once_prepare_one_directory(root: Path, skel: Path) -> None:
    lab = directory(root, "lab", group=LAB, mode=0o2770)
    plans = [
        json.dumps(
            {
                "directories": [directory(root, owner=ALICE), lab],
                "gives_away": False,
                "fill": filled(copy(skel)),
                "room": None,
            }
        )
    ] * 12
    running = [
        subprocess.Popen(
            ["/usr/bin/python3", "-I", "-c", SOURCE, plan],
            stderr=subprocess.PIPE,
            user=ALICE,
            group=ALICE,
            extra_groups=[LAB],
        )
        for plan in plans
    ]
    for process in running:
        assert (process.communicate(timeout=60)[1], process.returncode) == (b"", 0)
    assert state(root / "lab") == (ALICE, LAB, 0o2770)
    assert names(root / "alice") == [".profile", "link", "notebooks", "run.sh"]


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_new_home_is_filled_once(root: Path, skel: Path) -> None:
    fill = filled(copy(skel), DATA=0o755)
    succeed(directory(root), fill=fill)
    home = root / "alice"
    assert names(home) == [".profile", "DATA", "link", "notebooks", "run.sh"]
    assert (home / "notebooks" / "deep" / "first.ipynb").read_text() == "{}"
    assert str((home / "link").readlink()) == "/etc/passwd"
    assert state(home / "run.sh")[2] == 0o755, "never setuid"
    (home / ".profile").unlink()
    succeed(directory(root), fill=fill)
    assert ".profile" not in names(home)


def test_several_copies_fill_one_empty_home(root: Path, skel: Path, place: Path) -> None:
    other = place / "other"
    other.mkdir()
    (other / "more").touch()
    succeed(directory(root), fill=filled(copy(skel), copy(other)))
    assert names(root / "alice") == [".profile", "link", "more", "notebooks", "run.sh"]


def test_sync_adds_what_is_missing_and_changes_nothing(root: Path, skel: Path) -> None:
    home = root / "alice"
    (home / "notebooks").mkdir(parents=True)
    (home / ".profile").write_text("mine")
    (home / "run.sh").symlink_to("nowhere")
    succeed(directory(root), fill=filled(copy(skel, "sync"), umask=0o077))
    assert (home / ".profile").read_text() == "mine"
    assert str((home / "run.sh").readlink()) == "nowhere"
    assert (home / "notebooks" / "deep" / "first.ipynb").read_text() == "{}"
    assert state(home / "notebooks" / "deep" / "first.ipynb")[2] == 0o600


def test_filling_that_was_interrupted_goes_on(root: Path, skel: Path) -> None:
    home = root / "alice"
    home.mkdir(mode=0o700)
    (home / inithome.MARKER).touch()
    (home / ".profile").write_text("mine")
    succeed(directory(root), fill=filled(copy(skel)))
    assert names(home) == [".profile", "link", "notebooks", "run.sh"]


@pytest.mark.parametrize("name", ["notebooks", "work"])
def test_links_of_a_home_are_not_followed(root: Path, skel: Path, name: str) -> None:
    """Neither by copies into it, nor by a copy's target, nor by a directory that is asked for."""
    elsewhere = root / "elsewhere"
    elsewhere.mkdir()
    home = root / "alice"
    home.mkdir(mode=0o700)
    (home / name).symlink_to(elsewhere)
    fill = filled(copy(skel, "sync"), copy(skel, "sync", "work"), **{name: 0o755})
    assert f"'{name}' is no directory and is left as it is" in succeed(directory(root), fill=fill)
    assert names(elsewhere) == []


def test_missing_source_is_told(root: Path) -> None:
    message = refuse(directory(root), fill=filled(copy("/nowhere/skel")))
    assert message == "'/nowhere/skel' of the image cannot be copied: No such file or directory\n"


def test_home_inside_of_the_source_does_not_grow_for_ever(root: Path) -> None:
    (root / "file").touch()
    succeed(directory(root), fill=filled(copy(root)))
    assert names(root / "alice") == ["file"]


@pytest.mark.parametrize("gives_away", [False, True])
def test_home_that_was_elsewhere_is_never_made_anew(root: Path, gives_away: bool) -> None:
    wanted = directory(root, "a/alice", moved_from="/home/alice")
    told = "your home is missing; until now it was '/home/alice'\n"
    assert refuse(wanted, gives_away=gives_away) == told
    assert names(root) == []
    (root / "a" / "alice").mkdir(parents=True, mode=0o700)
    (root / "a" / "alice" / "file").touch()
    succeed(wanted, gives_away=gives_away)


@pytest.fixture
def small_disk(root: Path) -> Iterator[Path]:
    """A file system with room for 256 KiB."""
    options = ["-t", "tmpfs", "-o", "size=256k,mode=1777", "tmpfs"]
    if subprocess.run(["/usr/bin/mount", *options, root], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield root
    subprocess.run(["/usr/bin/umount", root], check=True)


@AS_ROOT
def test_full_disk_is_told_and_leaves_no_half_file(small_disk: Path, skel: Path) -> None:
    (skel / "notebooks" / "large").write_bytes(bytes(2**20))
    wanted, fill, home = directory(small_disk), filled(copy(skel)), small_disk / "alice"
    assert refuse(wanted, fill=fill) == "there is no space left in your home\n"
    assert names(home / "notebooks") == ["deep"]
    (skel / "notebooks" / "large").write_text("small now")
    succeed(wanted, fill=fill)
    assert (home / "notebooks" / "large").read_text() == "small now"
    assert inithome.MARKER not in names(home)


@AS_ROOT
def test_full_home_is_told_and_nothing_is_left_in_it(small_disk: Path) -> None:
    wanted, room = directory(small_disk), {"bytes": 65_536, "hint": "Start rescue."}
    succeed(wanted, room=room)
    (small_disk / "alice" / "large").write_bytes(bytes(200 * 1024))
    assert refuse(wanted, room=room) == "your home is full. Start rescue.\n"
    assert names(small_disk / "alice") == ["large"]
    succeed(wanted)


@pytest.mark.parametrize("number", [-1, 2**32 - 1, 2**40])
def test_impossible_ids_are_refused(root: Path, number: int) -> None:
    """To the system -1 means: leave it as it is."""
    assert "is no id of a user or group" in refuse(directory(root, owner=number), gives_away=True)
    assert list(root.iterdir()) == []
