"""Owners, and what is wanted and known of their claims."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jhext.identity.model import Group, Identity
from jhext.profiles.access import Person
from jhext.storage import labels
from jhext.storage.claims import Wanted, wanted_of
from jhext.storage.settings import StorageSettings
from jhext.storage.volumes import Object, Owner

COMMON: dict[str, Any] = {
    "labels": {labels.OWNER: "?", "component": "singleuser-storage", "team": "a"},
    "annotations": {labels.OWNER: "?"},
}


def owner(
    user: str = "alice", server: str = "", *, profile: str = "", groups: tuple[str, ...] = ()
) -> Owner:
    return Owner(Person(user, frozenset(groups), server_name=server), None, profile)


def identified(user: str, uid: int = 1001, home: str | None = None, server: str = "") -> Owner:
    identity = Identity(
        username=user,
        uid=uid,
        gid=2001,
        groups=(Group("staff", 2001),),
        home=home,
        resolved_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    return Owner(Person(user, server_name=server), identity)


def settings(claims: dict[str, Any], **more: Any) -> StorageSettings:
    return StorageSettings.model_validate({"claims": claims, **more})


def wanted(whose: Owner | None = None, **claim: Any) -> Wanted:
    claim.setdefault("name", "claim-{user_server}" if claim.get("per") == "server" else "")
    (one,) = wanted_of(settings({"home": claim}).claims, whose or owner(), COMMON)
    return one


def existing(made: Wanted, name: str = "", **status: Any) -> Object:
    """Give a claim as the API server has it after it was created."""
    manifest = made.named(name or made.name)
    manifest["metadata"] |= {"uid": "1", "resourceVersion": "1"}
    return {**manifest, "status": {"phase": "Bound", **status}}


def kubespawners(name: str, user: str = "alice", server: str = "") -> Object:
    """Give a claim as KubeSpawner makes them."""
    annotations = {labels.OWNER: user} | ({labels.SERVERNAME: server} if server else {})
    marks = {labels.OWNER: labels.label(user), "component": "singleuser-storage"}
    return {
        "metadata": {"name": name, "labels": marks, "annotations": annotations, "uid": "2"},
        "spec": {"resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound"},
    }
