"""Which claim a server gets: the one it had, its own one, a new one, or none with a reason."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from . import labels
from .claims import Wanted, growth
from .errors import StorageReason, StorageRefused
from .labels import annotations_of, labels_of
from .volumes import Object, Owner

_TELL = "Please tell your administrator."


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about claims when one is to be chosen.

    Parameters
    ----------
    claims
        The claims that may concern the person, by their names.
    remembered
        The names that this server had at its last start, by `Wanted.id`.
    elsewhere
        The names that other servers of the person had.
    home
        The key of the claim that the home is in. KubeSpawner's own claim is an older one of it.
    directory
        The path of the directory that the home was until now; empty where it was none.
    """

    claims: Mapping[str, Object]
    remembered: Mapping[str, str] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()
    home: str = ""
    directory: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The claim that a server gets.

    Parameters
    ----------
    name
        What it is called.
    create
        What to create, if it is not there.
    patch
        What to change about it, where it is to grow.
    """

    name: str
    create: Mapping[str, Any] | None = None
    patch: Mapping[str, Any] | None = None


def choose(wanted: Wanted, owner: Owner, known: Known) -> Choice:
    """Decide which claim a server gets.

    Raises
    ------
    StorageRefused
        It would get an empty one where it had another, or one that is not its owner's.
    """
    remembered = known.remembered.get(wanted.id, "")
    if claim := known.claims.get(remembered):
        return _existing(wanted, owner, claim, is_remembered=True)
    older = _older(wanted, owner, known)
    adopted = [one for one in older if labels.ADOPTED in annotations_of(known.claims[one])]
    if len(adopted) == 1:
        return _existing(wanted, owner, known.claims[adopted[0]], is_remembered=False)
    if remembered and wanted.settings.when_lost == "refuse":
        raise _lost(remembered)
    if remembered:
        return Choice(remembered, create=wanted.named(remembered))
    name = _free_name(wanted, known)
    if claim := known.claims.get(name):
        # Which of two is the one that was used last, no name can tell.
        same = [one for one in older if labels.CLAIM in labels_of(known.claims[one])]
        if set(same) - {name}:
            raise _several(wanted, owner, same)
        return _existing(wanted, owner, claim, is_remembered=False)
    if older:
        raise _older_exist(wanted, owner, name, older)
    if wanted.settings.when_missing == "refuse":
        message = f"The volume {name} that your server needs does not exist. {_TELL}"
        raise StorageRefused(StorageReason.LOST, message, detail=f"claims.{wanted.key}")
    is_home = wanted.is_personal and wanted.key == known.home
    if is_home and known.directory and wanted.settings.when_lost == "refuse":
        raise _was_directory(name, known.directory, _adopt(wanted, owner, name))
    return Choice(name, create=wanted.named(name))


def _free_name(wanted: Wanted, known: Known) -> str:
    """Give the name of the template, or the next one where a renamed server has that claim.

    No slug holds four hyphens, so no other claim is called like that.
    """
    name = wanted.name
    if wanted.settings.per == "server":
        numbers = count(2)
        while name in known.elsewhere:
            name = f"{wanted.name}----{next(numbers)}"
    return name


def _existing(wanted: Wanted, owner: Owner, claim: Object, *, is_remembered: bool) -> Choice:
    name: str = claim["metadata"]["name"]
    if claim["metadata"].get("deletionTimestamp"):
        raise _lost(name, "is being deleted")
    if (claim.get("status") or {}).get("phase") == "Lost":
        command = _adopt(wanted, owner, "OTHER")
        detail = f"its volume is gone; with the files in another claim: {_remove(name)}; {command}"
        raise _lost(name, "has lost its data", detail)
    if problem := _not_ours(wanted, owner, claim, is_remembered=is_remembered):
        message = f"The volume {name} is there, but it is not known to be yours. {_TELL}"
        command = _adopt(wanted, owner, name)
        raise StorageRefused(
            StorageReason.OTHERS, message, detail=f"{problem}; if it is theirs: {command}"
        )
    grows = wanted.settings.grow == "when_larger"
    return Choice(name, patch=growth(wanted.size, claim) if grows else None)


def _not_ours(wanted: Wanted, owner: Owner, claim: Object, *, is_remembered: bool) -> str:
    name = claim["metadata"]["name"]
    key = labels_of(claim).get(labels.CLAIM)
    if key not in (None, wanted.key):
        return f"{name} is labelled as the claim {key}"
    prepared = wanted.settings.when_missing == "refuse"
    if not wanted.is_personal:
        marked = annotations_of(claim)
        expected = annotations_of(wanted.manifest)
        for mark in (labels.GROUP, labels.PROFILE):
            if key is not None and marked.get(mark) != expected.get(mark):
                return f"{name} is another one's: {marked.get(mark)!a}"
        return "" if key or prepared else f"{name} is not labelled as the claim {wanted.key}"
    if not labels.is_owned(claim):
        return "" if prepared else f"{name} does not say whose it is"
    if not labels.is_owned_by(claim, owner.user):
        return f"{name} is {annotations_of(claim).get(labels.OWNER)!a}'s, not {owner.user!a}'s"
    if (
        wanted.settings.per == "server"
        and not is_remembered
        and labels.server_of(claim) != owner.server
    ):
        return f"{name} is of the server {labels.server_of(claim)!a}, not {owner.server!a}"
    return ""


def _older(wanted: Wanted, owner: Owner, known: Known) -> list[str]:
    """List claims that the person has and that may be the one that is wanted."""
    if not wanted.is_personal:
        return []
    others = known.elsewhere if wanted.settings.per == "server" else ()
    return sorted(
        name
        for name, claim in known.claims.items()
        if name not in others
        and (name in wanted.older or labels.is_owned_by(claim, owner.user))
        and _is_predecessor(wanted, owner, known, name, claim)
    )


def _is_predecessor(wanted: Wanted, owner: Owner, known: Known, name: str, claim: Object) -> bool:
    if name in wanted.older:
        return not labels.is_owned(claim) or labels.is_owned_by(claim, owner.user)
    if wanted.settings.per == "server" and labels.server_of(claim) != owner.server:
        return False
    key = labels_of(claim).get(labels.CLAIM)
    if key is not None:
        return key == wanted.key
    label, value = labels.KUBESPAWNER_COMPONENT
    return wanted.key == known.home and labels_of(claim).get(label) == value


def _older_exist(wanted: Wanted, owner: Owner, name: str, older: list[str]) -> StorageRefused:
    message = (
        f"Your server would get a new, empty volume {name}, while an older one of yours exists: "
        f"{', '.join(older)}. {_TELL}"
    )
    return StorageRefused(StorageReason.OLDER, message, detail=_choices(wanted, owner, older))


def _was_directory(name: str, directory: str, command: str) -> StorageRefused:
    message = (
        f"Your server would get a new, empty volume {name}, while your files were in {directory} "
        f"until now. {_TELL}"
    )
    detail = f"make the claim, move the files into it, and then: {command}"
    return StorageRefused(StorageReason.OLDER, message, detail=detail)


def _several(wanted: Wanted, owner: Owner, names: list[str]) -> StorageRefused:
    message = f"Several volumes may be the one with your files: {', '.join(names)}. {_TELL}"
    return StorageRefused(StorageReason.OLDER, message, detail=_choices(wanted, owner, names))


def _choices(wanted: Wanted, owner: Owner, names: list[str]) -> str:
    commands = [_adopt(wanted, owner, name) for name in names]
    return "\n".join(["to go on with one of them:", *commands])


def _lost(name: str, what: str = "is gone", detail: str = "") -> StorageRefused:
    message = (
        f"The volume {name} with your files {what}. Your server was not started, so that you do "
        f"not work in an empty one. {_TELL}"
    )
    return StorageRefused(StorageReason.LOST, message, detail=detail)


def in_use(name: str, pod: Object) -> StorageRefused:
    """Tell which server has to stop before another can have a claim."""
    server = annotations_of(pod).get(labels.SERVERNAME, "")
    which = f"your server {server}" if server else "your default server"
    message = f"The volume {name} is in use by {which}. Stop that one first."
    return StorageRefused(StorageReason.IN_USE, message)


def _remove(name: str) -> str:
    return shlex.join(["jhext", "storage", "rm", name])


def _adopt(wanted: Wanted, owner: Owner, name: str) -> str:
    command = ["jhext", "storage", "adopt", name, "--claim", wanted.key]
    if wanted.is_personal:
        command += ["--user", owner.user]
        command += ["--server", owner.server] if owner.server else []
    if wanted.settings.per == "group":
        command += ["--group", wanted.which]
    return shlex.join(command)
