"""What claims there are: whose, how large, when used last; and what may be done to each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from . import labels
from .cluster import claims_in
from .labels import annotations_of, labels_of
from .volumes import Object


@dataclass(frozen=True, slots=True)
class Row:
    """One claim.

    Parameters
    ----------
    name
        What it is called.
    claim
        Its key in ``storage.claims``; empty where KubeSpawner made it.
    user, server
        Whose it is, and for which server it was made; the user is empty where nobody's.
    shared
        The group or the profile whose it is.
    size
        What it asked for.
    phase
        Kubernetes' word, such as ``Bound``.
    retention
        When it is deleted by itself; empty where it does not say.
    last_used
        When a server with it was started or stopped last, where that was noted.
    created
        When it was made.
    pods
        The pods that mount it now.
    """

    name: str
    claim: str
    user: str
    server: str
    shared: str
    size: str
    phase: str
    retention: str
    last_used: datetime | None
    created: datetime
    pods: tuple[str, ...]


def rows_of(claims: Iterable[Object], pods: Sequence[Object]) -> list[Row]:
    """Give what is to be known of claims, in the order of owners and names.

    Parameters
    ----------
    claims
        The claims.
    pods
        All pods of the namespace.
    """
    mounting: dict[str, list[str]] = {}
    for pod in pods:
        for name in claims_in(pod):
            mounting.setdefault(name, []).append(pod["metadata"]["name"])
    rows = [_row(claim, mounting) for claim in claims]
    return sorted(rows, key=lambda row: (row.user, row.server, row.name))


def _row(claim: Object, mounting: dict[str, list[str]]) -> Row:
    metadata, marks, notes = claim["metadata"], labels_of(claim), annotations_of(claim)
    return Row(
        name=metadata["name"],
        claim=marks.get(labels.CLAIM, ""),
        user=notes.get(labels.OWNER) or marks.get(labels.OWNER, ""),
        server=labels.server_of(claim),
        shared=notes.get(labels.GROUP) or notes.get(labels.PROFILE, ""),
        size=claim["spec"]["resources"]["requests"]["storage"],
        phase=(claim.get("status") or {}).get("phase", ""),
        retention=marks.get(labels.RETENTION, ""),
        last_used=_time(notes.get(labels.LAST_USED)),
        created=_time(metadata.get("creationTimestamp")) or datetime.fromtimestamp(0, UTC),
        pods=tuple(sorted(mounting.get(metadata["name"], ()))),
    )


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def orphans(
    rows: Iterable[Row], users: Collection[str] | None, unused_since: datetime | None
) -> list[Row]:
    """List the claims of people that seem to be needed by nobody.

    What a pod mounts is needed, and so is what several people share.

    Parameters
    ----------
    rows
        The claims.
    users
        The people that there are, by their exact names: the claims of others are found. None
        where that does not matter.
    unused_since
        Claims are found that were used last before this time, or made before it where nobody noted
        their use. None where that does not matter.
    """
    return [
        row
        for row in rows
        if row.user
        and not row.pods
        and (users is None or row.user not in users)
        and (unused_since is None or (row.last_used or row.created) < unused_since)
    ]
