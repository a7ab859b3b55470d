"""The Secret that holds a token: its name, whose it is, and what is in it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from jhext.identity.pointers import find, parse
from jhext.storage import labels
from jhext.storage.names import user_server

from .settings import TokenSettings

Object = Mapping[str, Any]

PREFIX = "jhext-token-"
"""How the names of all these Secrets begin."""

TOKEN = "token"  # noqa: S105 - the name of a file
"""The file with the token and nothing else."""

GIT = "git-credential"
"""The file with what a credential helper answers to git."""

_COMPONENT = "token"
_TOKEN = re.compile(r"[!-~]{1,65536}")
"""What cannot end a line or be a second answer to git; longer ones are no tokens."""


def name_of(user: str, server: str) -> str:
    """Give the name of the Secret of a server."""
    return PREFIX + user_server(user, server)


def data_of(auth_state: Any, settings: TokenSettings) -> dict[str, str] | None:
    """Give the content of the Secret, in base64; None where ``auth_state`` has no token."""
    token = find(auth_state, parse(settings.key))
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return None
    answer = f"username={settings.git_username}\npassword={token}\n"
    files = {TOKEN: token, GIT: answer}
    return {name: base64.b64encode(text.encode()).decode() for name, text in files.items()}


def secret_of(user: str, server: str, data: Mapping[str, str]) -> dict[str, Any]:
    """Write the Secret of a server."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name_of(user, server),
            "labels": {
                labels.OWNER: labels.label(user),
                labels.USER: labels.label(user),
                labels.SERVER: labels.label(server),
                labels.COMPONENT: _COMPONENT,
            },
            "annotations": {labels.OWNER: user, labels.SERVERNAME: server},
        },
        "data": dict(data),
    }


def is_of(secret: Object, user: str, server: str) -> bool:
    """Say whether a Secret is this server's token: exactly, for two names may have one slug."""
    return (
        labels.labels_of(secret).get(labels.COMPONENT) == _COMPONENT
        and labels.annotations_of(secret).get(labels.OWNER) == user
        and labels.server_of(secret) == server
    )


def goes_with(pod: Object) -> dict[str, Any]:
    """Give the metadata by which Kubernetes deletes a Secret when its pod is gone."""
    name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}
    return {"ownerReferences": [owner]}
