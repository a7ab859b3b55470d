"""Homes: where the files of one person are, and where the container sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from jhext.section import Section

from . import paths, template
from .paths import AbsoluteTemplate, Place, RelativeTemplate, Root
from .volumes import PREFIX, Owner, Volumes

VOLUME = f"{PREFIX}home"
"""The name of the volume that the home is in."""

_MOUNT_FIELDS = ("path", "username", "uid")
_OF_THE_HUB = frozenset({"path", "username", "initial", "servername"})


class ClaimHome(Section):
    """A claim of the person's own."""

    type: Literal["claim"]
    claim: str = Field(default="home", description="Which of `storage.claims`.")


class SharedClaimHome(Section):
    """A directory in a claim that all share."""

    type: Literal["shared_claim"]
    claim: str = Field(description="Which of `storage.claims`: one `per: hub`.", examples=["homes"])
    sub_path: RelativeTemplate = Field(
        default="{username}",
        description="The directory in it.",
        examples=["{initial}/{username}"],
    )


class _InDirectory(Section):
    """What homes have that are in a directory of somebody's."""

    path: AbsoluteTemplate = Field(
        description="The path. The fields are `username` (the login name as it is, not a slug), "
        "`initial`, `uid`, `gid`, `uid_mod_100` (or any other number) and `servername`; or "
        "`{home}` alone: the home that a source of `identity` gives, be it a directory, a table, "
        "a claim of the token or a web service.",
        examples=["/home/{initial}/{username}", "{home}"],
    )
    roots: tuple[Root, ...] = Field(
        default=(),
        strict=False,
        description="The only directories that homes may be in. With a template, by default what "
        "comes before its first field.",
        examples=[[{"path": "/u", "node": "/gpfs/fs1/u"}]],
    )

    @model_validator(mode="after")
    def _rooted(self) -> _InDirectory:
        if self.path == "{home}" and not self.roots:
            raise ValueError("roots: say which directories a home may be in")
        return self


class NfsHome(_InDirectory):
    """A directory of an NFS server, which the node mounts for the pod."""

    type: Literal["nfs"]
    server: str = Field(min_length=1, description="The server.", examples=["nfs.example.org"])


class HostPathHome(_InDirectory):
    """A directory that the nodes have."""

    type: Literal["host_path"]
    host_path_type: Literal["Directory", "DirectoryOrCreate"] = Field(
        default="Directory",
        description="`Directory` fails where it is missing; `DirectoryOrCreate` makes it, as "
        "root's.",
    )


class CsiHome(Section):
    """What a CSI driver mounts for this pod alone."""

    type: Literal["csi"]
    driver: str = Field(min_length=1, description="The driver.", examples=["smb.csi.k8s.io"])
    attributes: dict[str, str] = Field(
        default_factory=dict,
        description="What the driver is told. `{username}` and `{uid}` are fields.",
        examples=[{"source": "//files.example.org/homes/{username}"}],
    )
    fs_type: str | None = Field(default=None, description="The file system.")
    secret: str | None = Field(default=None, description="The Secret that the driver reads.")

    @model_validator(mode="after")
    def _fields(self) -> CsiHome:
        for value in self.attributes.values():
            template.check(value, ("username", "uid").__contains__, ("username", "uid"))
        return self


class EmptyDirHome(Section):
    """A directory that is gone when the server stops."""

    type: Literal["empty_dir"]
    size_limit: str | None = Field(default=None, description="How much it holds.", examples=["1Gi"])


HomeSource = Annotated[
    ClaimHome | SharedClaimHome | NfsHome | HostPathHome | CsiHome | EmptyDirHome,
    Field(discriminator="type"),
]


def _mount_path(value: str) -> str:
    template.check(value, _MOUNT_FIELDS.__contains__, _MOUNT_FIELDS)
    return value if value == "{path}" else paths.in_container(value)


class HomeSettings(Section):
    """The section ``storage.home``."""

    source: HomeSource = Field(
        description="What the home is.", examples=[{"type": "claim", "claim": "home"}]
    )
    mount_path: Annotated[str, AfterValidator(_mount_path)] = Field(
        default="/home/jovyan",
        description="Where the container sees it: HOME, the home in /etc/passwd, and where the "
        "server works. `{username}` and `{uid}` are fields; `{path}` alone is the path itself.",
        examples=["/home/{username}"],
    )

    @model_validator(mode="after")
    def _has_path(self) -> HomeSettings:
        if self.mount_path == "{path}" and not isinstance(self.source, _InDirectory):
            raise ValueError(f"mount_path: a home of type {self.source.type} has no path")
        return self

    @property
    def is_per_server(self) -> bool:
        """Whether each server of a person has a directory of its own."""
        source = self.source
        path = source.path if isinstance(source, _InDirectory) else ""
        path = source.sub_path if isinstance(source, SharedClaimHome) else path
        return "servername" in template.fields(path)

    @property
    def claim(self) -> str:
        """The key of the claim that the home is in; empty where it is in none."""
        source = self.source
        return source.claim if isinstance(source, ClaimHome | SharedClaimHome) else ""


def needs_identity(settings: HomeSettings) -> bool:
    """Say whether a home can only be found for people whose ids are known."""
    source, texts = settings.source, [settings.mount_path]
    if isinstance(source, SharedClaimHome):
        texts.append(source.sub_path)
    elif isinstance(source, _InDirectory):
        texts.append(source.path)
    elif isinstance(source, CsiHome):
        texts += source.attributes.values()
    return any(name not in _OF_THE_HUB for text in texts for name in template.fields(text))


def place(settings: HomeSettings, owner: Owner) -> Place | None:
    """Find the directory of a home; None where it is a whole volume.

    Raises
    ------
    StorageRefused
        There is none, or it is where no home may be.
    """
    source = settings.source
    if isinstance(source, SharedClaimHome):
        below = paths.render(source.sub_path, owner)
        return Place(root="/", below=below, container="")
    if isinstance(source, NfsHome | HostPathHome):
        return paths.place(source.path, source.roots, owner)
    return None


def home_of(settings: HomeSettings, owner: Owner, claims: Mapping[str, str]) -> Volumes:
    """Give the volume and the mount of a person's home.

    Parameters
    ----------
    settings
        The section ``storage.home``.
    owner
        Whose it is.
    claims
        The names of the person's claims, by their keys.

    Raises
    ------
    StorageRefused
        There is no path, or it is where no home may be.
    """
    source, found = settings.source, place(settings, owner)
    mount: dict[str, Any] = {"name": VOLUME}
    if isinstance(source, ClaimHome | SharedClaimHome):
        volume: dict[str, Any] = {"persistentVolumeClaim": {"claimName": claims[source.claim]}}
        if isinstance(source, SharedClaimHome) and found:
            mount["subPath"] = found.below
    elif isinstance(source, CsiHome):
        volume = {"csi": _csi(source, owner)}
    elif isinstance(source, EmptyDirHome):
        volume = {"emptyDir": {"sizeLimit": source.size_limit} if source.size_limit else {}}
    elif found and isinstance(source, NfsHome):
        volume = {"nfs": {"server": source.server, "path": found.path}}
    elif found and isinstance(source, HostPathHome):
        volume = {"hostPath": {"path": found.path, "type": source.host_path_type}}
    home_mount = _home_mount(settings, owner, found)
    mount["mountPath"] = home_mount
    used = {settings.claim: claims[settings.claim]} if settings.claim else {}
    return Volumes(({"name": VOLUME, **volume},), (mount,), home_mount, used)


def _home_mount(settings: HomeSettings, owner: Owner, found: Place | None) -> str:
    if settings.mount_path == "{path}" and found:
        return paths.mountable(found.container)
    return paths.mountable(paths.render(settings.mount_path, owner))


def _csi(source: CsiHome, owner: Owner) -> dict[str, Any]:
    attributes = {name: paths.text(value, owner) for name, value in source.attributes.items()}
    csi: dict[str, Any] = {"driver": source.driver, "volumeAttributes": attributes}
    if source.fs_type:
        csi["fsType"] = source.fs_type
    if source.secret:
        csi["nodePublishSecretRef"] = {"name": source.secret}
    return csi
