"""What an administrator changes about claims: each change is told before it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jhext.profiles.access import Person
from jhext.units import parse_quantity

from . import labels
from .claims import growth
from .inventory import rows_of
from .labels import annotations_of, labels_of
from .settings import ClaimSettings, StorageSettings
from .volumes import Object, Owner


class NotPossibleError(Exception):
    """Something stands against a change; nothing of it is made."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one claim.

    Parameters
    ----------
    text
        What it is, for whoever is asked whether it shall be made.
    claim
        The claim as it was read.
    patch
        What is changed about it; None where it is deleted.
    """

    text: str
    claim: Object
    patch: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Adoption:
    """Which claim is to be whose.

    Parameters
    ----------
    name
        What the claim is called.
    key
        Which of ``storage.claims`` it is to be.
    user, server
        Whose it is to be, and for which server; empty for a claim that people share.
    group
        The group, for a claim per group.
    loser
        Who is to lose it; empty where it is nobody else's.
    """

    name: str
    key: str
    user: str = ""
    server: str = ""
    group: str = ""
    loser: str = ""


def adoption(
    wanted: Adoption, settings: StorageSettings, claims: Sequence[Object], pods: Sequence[Object]
) -> list[Change]:
    """Plan to let a claim be a person's, and no other one in its place.

    Parameters
    ----------
    wanted
        Which, and whose.
    settings
        The section ``storage``.
    claims
        All claims, and this one.
    pods
        All pods.

    Raises
    ------
    NotPossibleError
        Something stands against it.
    """
    claim = _claim(wanted.name, claims, pods)
    known = settings.claims.get(wanted.key)
    if known is None:
        raise NotPossibleError(f"storage.claims has no {wanted.key!r}")
    if known.per not in ("user", "server"):
        marks = labels.shared(wanted.key, wanted.group)
        _check_group(wanted, known)
        whose = f"group {wanted.group}" if wanted.group else "all"
        return [Change(f"{wanted.name}: claim {wanted.key} of {whose}", claim, _marked(marks))]
    if not wanted.user or (wanted.server and known.per == "user"):
        raise NotPossibleError(f"claim {wanted.key} is per {known.per}: say whose it is to be")
    owner = annotations_of(claim).get(labels.OWNER) or labels_of(claim).get(labels.OWNER, "")
    is_anothers = labels.is_owned(claim) and not labels.is_owned_by(claim, wanted.user)
    if is_anothers and wanted.loser != owner:
        problem = f"{wanted.name} is {owner!a}'s; say --from {owner!r} if they shall lose it"
        raise NotPossibleError(problem)
    patch = labels.adoption(
        wanted.key, known.retention, Owner(Person(wanted.user, server_name=wanted.server))
    )
    whose = f"{wanted.user!a}, server {wanted.server!a}"
    change = Change(f"{wanted.name}: claim {wanted.key} of {whose}", claim, patch)
    return [change, *(_dropped(other) for other in claims if _is_rival(other, wanted, known))]


def _check_group(wanted: Adoption, known: ClaimSettings) -> None:
    if known.per == "group" and wanted.group not in known.groups:
        raise NotPossibleError(f"claim {wanted.key} is per group: say --group")
    if known.per == "profile":
        raise NotPossibleError(f"claim {wanted.key} is per profile, and is found by its name")


def _is_rival(claim: Object, wanted: Adoption, known: ClaimSettings) -> bool:
    """Tell whether a claim was adopted earlier for the same."""
    return (
        claim["metadata"]["name"] != wanted.name
        and labels.ADOPTED in annotations_of(claim)
        and labels_of(claim).get(labels.CLAIM) == wanted.key
        and labels.is_owned_by(claim, wanted.user)
        and (known.per == "user" or labels.server_of(claim) == wanted.server)
    )


def _dropped(claim: Object) -> Change:
    text = f"{claim['metadata']['name']}: no longer adopted"
    return Change(text, claim, _marked({"annotations": {labels.ADOPTED: None}}))


def _marked(marks: Mapping[str, Any]) -> dict[str, Any]:
    return {"metadata": marks}


def removal(names: Iterable[str], claims: Sequence[Object], pods: Sequence[Object]) -> list[Change]:
    """Plan to delete claims: those alone that say whose they are, and that no pod mounts.

    Raises
    ------
    NotPossibleError
        One of them is not like that.
    """
    changes = []
    for name in dict.fromkeys(names):
        claim = _claim(name, claims, pods)
        owner = annotations_of(claim).get(labels.OWNER)
        if not owner or labels.OWNER not in labels_of(claim):
            raise NotPossibleError(f"{name} does not say whose it is; kubectl can delete it")
        size = claim["spec"]["resources"]["requests"]["storage"]
        changes.append(Change(f"{name}: delete, {size} of {owner!a}, with all files", claim, None))
    return changes


def growing(
    names: Iterable[str], size: str, settings: StorageSettings, claims: Sequence[Object]
) -> list[Change]:
    """Plan to let claims grow. Those that are large enough are left out.

    Parameters
    ----------
    names
        Which; none for all that ``storage.claims`` wants larger.
    size
        To which size; empty for the one in ``storage.claims``.
    settings
        The section ``storage``.
    claims
        All claims.

    Raises
    ------
    NotPossibleError
        A claim is not there, or nobody says how large it is to be, or it is not bound.
    """
    chosen = [_claim(name, claims, ()) for name in dict.fromkeys(names)]
    changes = []
    for claim in chosen or claims:
        name = claim["metadata"]["name"]
        known = settings.claims.get(labels_of(claim).get(labels.CLAIM, ""))
        wanted = size or (known.common_size if known else "")
        current = claim["spec"]["resources"]["requests"]["storage"]
        if not wanted:
            if chosen:
                raise NotPossibleError(f"storage.claims has no one size for {name}: say --size")
            continue
        patch = growth(wanted, claim)
        if patch is not None:
            changes.append(Change(f"{name}: {current} → {wanted}", claim, patch))
        elif chosen and parse_quantity(wanted) > parse_quantity(current):
            raise NotPossibleError(f"{name} is not bound, and cannot grow before")
        elif chosen and parse_quantity(wanted) < parse_quantity(current):
            raise NotPossibleError(f"{name} has {current}, and nothing makes a claim smaller")
    return changes


def _claim(name: str, claims: Sequence[Object], pods: Sequence[Object]) -> Object:
    """Find a claim, which is neither mounted nor on its way out."""
    claim = next((one for one in claims if one["metadata"]["name"] == name), None)
    if claim is None:
        raise NotPossibleError(f"there is no claim {name}")
    if claim["metadata"].get("deletionTimestamp"):
        raise NotPossibleError(f"{name} is being deleted already")
    (row,) = rows_of([claim], pods)
    if row.pods:
        raise NotPossibleError(f"{name} is mounted by {', '.join(row.pods)}")
    return claim
