"""Which claims are deleted with a server or a person: what they say themselves decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from . import labels
from .labels import annotations_of, labels_of
from .volumes import Object


def to_delete(
    claims: Iterable[Object], user: str, server: str, elsewhere: Collection[str]
) -> list[Object]:
    """List the claims that go with a server; with the default server, the person goes.

    JupyterHub deletes the default server with its owner and never alone.

    Parameters
    ----------
    claims
        Claims that may be the person's.
    user, server
        Whose server is deleted, and which.
    elsewhere
        The names of claims that other servers of the person remember.
    """
    return [
        claim
        for claim in claims
        if annotations_of(claim).get(labels.OWNER) == user
        and labels.CLAIM in labels_of(claim)
        and labels_of(claim).get(labels.USER) == labels.label(user)
        and _goes(claim, server, elsewhere)
    ]


def _goes(claim: Object, server: str, elsewhere: Collection[str]) -> bool:
    retention = labels_of(claim).get(labels.RETENTION)
    if not server:
        return retention in ("delete_with_server", "delete_with_user")
    return (
        retention == "delete_with_server"
        and labels.server_of(claim) == server
        and labels_of(claim).get(labels.SERVER) == labels.label(server)
        and claim["metadata"]["name"] not in elsewhere
    )
