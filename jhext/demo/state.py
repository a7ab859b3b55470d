"""The one folder that a demo keeps everything in."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from . import accounts
from .processes import StartError

_MARK = "This folder belongs to 'jhext demo' and can be deleted.\n"


@dataclass(frozen=True)
class State:
    """Where things are in the folder."""

    folder: Path

    @property
    def accounts_file(self) -> Path:
        """Names, groups and passwords; only the owner can read it."""
        return self.folder / "accounts.json"

    @property
    def crypt_key_file(self) -> Path:
        """The key with which the hub encrypts auth_state; only the owner can read it."""
        return self.folder / "crypt_key"

    @property
    def cluster_folder(self) -> Path:
        """What the embedded cluster keeps, homes among it."""
        return self.folder / "cluster"

    @property
    def cluster_log(self) -> Path:
        """What the embedded cluster has printed."""
        return self.cluster_folder.with_suffix(".log")

    @property
    def hub_config(self) -> Path:
        """The configuration of the hub, a copy to be looked at and changed."""
        return self.folder / "jupyterhub_config.py"

    @property
    def profiles(self) -> Path:
        """The profiles and their rules, a copy to be looked at and changed."""
        return self.folder / "jhext.yaml"

    @property
    def people(self) -> Path:
        """Who people are on the file system, a copy to be looked at and changed."""
        return self.folder / "people.yaml"


@contextmanager
def open_state(folder: Path) -> Iterator[State]:
    """
    Make the folder or take it up again, and keep other demos out of it meanwhile.

    Raises
    ------
    StartError
        The folder holds something else, or another demo runs in it.
    """
    folder = folder.resolve()
    mark = folder / "README.txt"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise StartError(f"{folder} is not empty and was not made by 'jhext demo'.")
    folder.mkdir(parents=True, exist_ok=True)
    # root runs the servers under other uids, which pass through here to reach their homes
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    with mark.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"Another demo is running in {folder}.") from None
        mark.write_text(_MARK)
        state = State(folder)
        _fill(state)
        yield state


def _fill(state: State) -> None:
    """Write what is missing."""
    for copy in (state.hub_config, state.profiles, state.people):
        if not copy.exists():
            copy.write_bytes((files(__package__) / "data" / copy.name).read_bytes())
    if not state.accounts_file.exists():
        _write_private(state.accounts_file, accounts.dump(accounts.demo_accounts()))
    if not state.crypt_key_file.exists():
        _write_private(state.crypt_key_file, secrets.token_hex(32).encode())


def _write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; whole, or not at all."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)
