"""Labels and annotations of claims: whose they are, and how long they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubespawner.slugs import escape_slug, is_valid_label, safe_slug

from .volumes import Object, Owner

CLAIM = "jhext.io/claim"
"""The key in ``storage.claims``."""
USER = "jhext.io/user"
SERVER = "jhext.io/server"
GROUP = "jhext.io/group"
PROFILE = "jhext.io/profile"
COMPONENT = "jhext.io/component"
RETENTION = "jhext.io/retention"
"""``keep``, ``delete_with_server`` or ``delete_with_user``."""
LAST_USED = "jhext.io/last-used"
"""An annotation: when a server with this claim was started or stopped last, RFC 3339 in UTC."""

ADOPTED = "jhext.io/adopted"
"""An annotation: an administrator has decided that this claim, and no other, is the one."""

OWNER = "hub.jupyter.org/username"
"""KubeSpawner's: as an annotation the name of the person, as a label its slug."""
SERVERNAME = "hub.jupyter.org/servername"
"""KubeSpawner's: as an annotation the name of the server; absent for the default server."""
KUBESPAWNER_COMPONENT = ("component", "singleuser-storage")
"""The label that KubeSpawner gives each of its claims."""
_STORAGE = "storage"


def label(name: str) -> str:
    """Make a value for a label of any name, as KubeSpawner does."""
    return safe_slug(name, is_valid=is_valid_label) if name else ""


def labels_of(claim: Object) -> Mapping[str, str]:
    """Give the labels of an object."""
    return claim["metadata"].get("labels") or {}


def annotations_of(claim: Object) -> Mapping[str, str]:
    """Give the annotations of an object."""
    return claim["metadata"].get("annotations") or {}


def names_in_labels(user: str) -> tuple[str, ...]:
    """Give what KubeSpawner, and KubeSpawner before 7, writes into the label of the person."""
    values = (label(user), escape_slug(user))
    return tuple(dict.fromkeys(value for value in values if value and is_valid_label(value)))


def is_owned_by(claim: Object, user: str) -> bool:
    """Say whether a claim is this person's; exactly, ``ann`` is not ``Ann``.

    A claim that has lost its annotation is told by its label.
    """
    owner = annotations_of(claim).get(OWNER)
    if owner is not None:
        return owner == user
    return labels_of(claim).get(OWNER) in names_in_labels(user)


def is_owned(claim: Object) -> bool:
    """Say whether a claim tells at all whose it is."""
    return OWNER in annotations_of(claim) or OWNER in labels_of(claim)


def server_of(claim: Object) -> str:
    """Give the name of the server that a claim was made for."""
    return annotations_of(claim).get(SERVERNAME, "")


def personal(key: str, retention: str, owner: Owner) -> dict[str, dict[str, str]]:
    """Give the labels and annotations that make a claim this person's."""
    labels = {
        OWNER: label(owner.user),
        CLAIM: key,
        USER: label(owner.user),
        SERVER: label(owner.server),
        COMPONENT: _STORAGE,
        RETENTION: retention,
    }
    annotations = {OWNER: owner.user, SERVERNAME: owner.server}
    return {"labels": labels, "annotations": annotations}


def shared(key: str, group: str = "", profile: str = "") -> dict[str, dict[str, str]]:
    """Give the labels and annotations of a claim that is nobody's own. It is never deleted."""
    labels = {CLAIM: key, COMPONENT: _STORAGE, RETENTION: "keep"}
    annotations = {}
    for name, value in ((GROUP, group), (PROFILE, profile)):
        if value:
            labels[name] = label(value)
            annotations[name] = value
    return {"labels": labels, "annotations": annotations}


def adoption(key: str, retention: str, owner: Owner) -> dict[str, Any]:
    """Give the patch that makes an older claim this person's, whatever templates say."""
    marks = personal(key, retention, owner)
    marks["annotations"][ADOPTED] = "true"
    return {"metadata": marks}
