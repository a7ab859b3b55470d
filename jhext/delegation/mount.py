"""The token in the manifest of a pod: mounted for the notebook, and nowhere else in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jhext.pod.manifest import Container, Manifest, containers, notebook, without
from jhext.pod.nss import place

from .secret import GIT, PREFIX
from .settings import TokenSettings

VOLUME = "jhext-token"
"""The name of the volume."""

FOLDER = "/run/secrets/jhext"
"""Where the files are. The folder is mounted whole: a file mounted by ``subPath`` never changes."""

_READ_ONLY_FOR_ALL = 0o444
"""Only the notebook's container has the files, and only the person is in there. With 0400 and
``fsGroup``, Kubernetes before 1.27 has them unreadable for a moment whenever they change."""


@dataclass(frozen=True, slots=True)
class TokenMount:
    """What a pod has of a token.

    Parameters
    ----------
    secret
        The name of the Secret.
    git
        Keys and values of git's configuration.
    """

    secret: str
    git: Sequence[tuple[str, str]] = ()

    @property
    def volume(self) -> dict[str, Any]:
        """The volume."""
        secret = {"secretName": self.secret, "defaultMode": _READ_ONLY_FOR_ALL}
        return {"name": VOLUME, "secret": secret}


def mount_of(secret: str, settings: TokenSettings) -> TokenMount:
    """Say what a pod has of a token.

    git asks this helper alone: any other, such as ``store``, would be told the token and keep it.
    git runs it with a shell. Nothing that comes from a person is in it.
    """
    helper = f"!f() {{ cat {FOLDER}/{GIT}; }}; f"
    git = [
        (f"credential.{url}.helper", value) for url in settings.git_urls for value in ("", helper)
    ]
    return TokenMount(secret, tuple(git))


def mount(manifest: Manifest, token: TokenMount) -> None:
    """Put the token into the notebook's container.

    Doing it again changes nothing.

    Parameters
    ----------
    manifest
        The pod; it is changed.
    token
        What it is to have.
    """
    spec, main = manifest["spec"], notebook(manifest)
    volumes, ours = spec.get("volumes"), frozenset({VOLUME})
    spec["volumes"] = [*without(volumes, "name", ours), token.volume]
    main["volumeMounts"] = [*without(main.get("volumeMounts"), "name", ours), _mount()]


def _mount() -> dict[str, Any]:
    return {"name": VOLUME, "mountPath": FOLDER, "readOnly": True}


def misplaced(manifest: Manifest, token: TokenMount | None) -> Iterator[tuple[str, str]]:
    """List, as paths and problems, what a pod has of tokens otherwise than it should.

    Parameters
    ----------
    manifest
        The pod.
    token
        What it is to have, if anything.
    """
    spec, main = manifest["spec"], notebook(manifest)
    volumes = [item for item in spec.get("volumes") or () if _is_of_tokens(item)]
    if volumes != ([token.volume] if token else []):
        yield "spec.volumes", f"{VOLUME} is not the volume of the person's token, or not alone"
    for path, container in containers(manifest):
        wanted = [_mount()] if token and container is main else []
        found = [item for item in container.get("volumeMounts") or () if _is_there(item)]
        if found != wanted:
            yield f"{path}.volumeMounts", f"something else is mounted at {FOLDER}"
        if any(_names_a_token(name) for name in _secrets_in(container)):
            yield f"{path}.env", "has a token in it"


def _is_there(item: dict[str, Any]) -> bool:
    return item.get("name") == VOLUME or f"{place(item)}/".startswith(f"{FOLDER}/")


def _is_of_tokens(volume: dict[str, Any]) -> bool:
    sources = (volume.get("projected") or {}).get("sources") or ()
    names = [(volume.get("secret") or {}).get("secretName")]
    names += [(source.get("secret") or {}).get("name") for source in sources]
    return volume.get("name") == VOLUME or any(map(_names_a_token, names))


def _secrets_in(container: Container) -> Iterator[Any]:
    for entry in container.get("env") or ():
        yield ((entry.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name")
    for source in container.get("envFrom") or ():
        yield (source.get("secretRef") or {}).get("name")


def _names_a_token(name: Any) -> bool:
    return str(name or "").startswith(PREFIX)
