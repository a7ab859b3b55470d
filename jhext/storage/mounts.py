"""Extra volumes by rule: data sets, project areas, a directory that a group shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from jhext.identity.act_as import ActAs
from jhext.profiles.access import Access, Decision, decide
from jhext.section import Section

from . import paths, template
from .errors import StorageReason, StorageRefused
from .paths import Absolute
from .prepare import Directory, Mode
from .volumes import PREFIX, Owner, Volumes

if TYPE_CHECKING:
    from .settings import ClaimSettings

_FIELDS = ("group", "username", "uid", "gid", "initial")
_MEETS = Decision(True, "groups, profiles", "no other rule is written")
_TELL = "Please tell your administrator."
_NOBODY = Decision(False, "no rule", "no rule says who may write")


class NfsSource(Section):
    """A directory of an NFS server, which the node mounts for the pod."""

    type: Literal["nfs"]
    server: str = Field(min_length=1, description="The server.", examples=["nfs.example.org"])
    path: Absolute = Field(description="The directory.", examples=["/exports/datasets"])


class HostPathSource(Section):
    """A directory that the nodes have."""

    type: Literal["host_path"]
    path: Absolute = Field(description="The directory.", examples=["/gpfs/datasets"])


class ClaimSource(Section):
    """One of ``storage.claims``."""

    type: Literal["claim"]
    claim: str = Field(description="Its key.", examples=["shared"])


class ExistingClaimSource(Section):
    """A claim that others made. Nothing about it is looked at or changed."""

    type: Literal["existing_claim"]
    claim_name: str = Field(min_length=1, description="Its name.", examples=["datasets"])


class EmptyDirSource(Section):
    """A directory that is gone when the server stops."""

    type: Literal["empty_dir"]
    size_limit: str | None = Field(default=None, description="How much it holds.", examples=["1Gi"])
    medium: Literal["", "Memory"] = Field(default="", description="`Memory` for a RAM disk.")


MountSource = Annotated[
    NfsSource | HostPathSource | ClaimSource | ExistingClaimSource | EmptyDirSource,
    Field(discriminator="type"),
]


def _mount_path(value: str) -> str:
    template.check(value, _FIELDS.__contains__, _FIELDS)
    return paths.in_container(value)


def _sub_path(value: str) -> str:
    template.check(value, _FIELDS.__contains__, _FIELDS)
    return paths.absolute("/" + value).removeprefix("/") if value else value


def _directories(value: Any) -> Any:
    """Let a group whose name can be that of a directory stand for both."""
    return {name: name for name in value} if isinstance(value, list | tuple) else value


def _components(value: dict[str, str]) -> dict[str, str]:
    for group, name in value.items():
        if not name or name.startswith(".") or set(name) & set("/{}") or not name.isprintable():
            raise ValueError(f"{name!r} is no name of a directory; write `{group!r}: NAME`")
    twice = [name for name in value.values() if list(value.values()).count(name) > 1]
    if twice:
        raise ValueError(f"two groups would share the directory {twice[0]!r}")
    return value


class MountSettings(Section, Access):
    """One of ``storage.mounts``. The access keys say who has it."""

    name: Annotated[str, Field(pattern="^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")] = Field(
        description="Its name.", examples=["datasets"]
    )
    source: MountSource = Field(
        description="What is mounted.",
        examples=[{"type": "nfs", "server": "nfs.example.org", "path": "/exports/datasets"}],
    )
    mount_path: Annotated[str, AfterValidator(_mount_path)] = Field(
        description="Where the container sees it. The fields are `username`, `initial`, `uid`, "
        "`gid`, which are the person's own, and `group` with `groups`.",
        examples=["/datasets", "/groups/{group}"],
    )
    sub_path: Annotated[str, AfterValidator(_sub_path)] = Field(
        default="",
        description="The directory in it that is mounted, with the same fields; empty for all.",
        examples=["{group}"],
    )
    profiles: frozenset[str] = Field(
        default=frozenset(),
        strict=False,
        description="Only servers of these profiles have it, by slug; empty for all.",
        examples=[["gpu"]],
    )
    groups: Annotated[
        dict[str, str],
        BeforeValidator(_directories),
        AfterValidator(_components),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "array", "items": {"type": "string"}},
                    {"type": "object", "additionalProperties": {"type": "string"}},
                ]
            }
        ),
    ] = Field(
        default_factory=dict,
        description="It is mounted once for each of these groups that the person is in. A list, or "
        "the names of their directories by the names of the groups.",
        examples=[["physics"], {"/hpc/gpu": "gpu"}],
    )
    read_only: bool = Field(default=False, description="Whether nobody may write.")
    writers: Access | None = Field(
        default=None,
        description="Who may write, by the same access keys; all others only read. By default all "
        "who have it.",
        examples=[{"allowed_groups": ["curators"]}],
    )
    directory_mode: Mode | None = Field(
        default=None,
        description="Makes the directory of the `sub_path` where it is missing, with this mode and "
        "the gid of the group; see `storage.init.create`. 2770: what is made in it is the group's.",
        examples=["2770"],
    )
    act_as: ActAs | None = Field(
        default=None,
        description="The ids of the project that it belongs to. A server that has it runs under "
        "them instead of the person's, as with the `act_as` of a profile.",
        examples=[{"uid": 4200, "gid": 4200, "groups": {"exp42": 4200}}],
    )

    @model_validator(mode="after")
    def _consistent(self) -> MountSettings:
        if not (self.has_allowing_rule or self.groups or self.profiles):
            raise ValueError("say who has it; `allow_all: true` for everybody")
        if self.read_only and self.writers is not None:
            raise ValueError("writers: nobody may write with read_only")
        if self.directory_mode is not None and (self.read_only or not self.sub_path):
            raise ValueError("directory_mode: only for a sub_path that somebody may write")
        templates = (self.mount_path, self.sub_path)
        fields = [name for text in templates for name in template.fields(text)]
        if ("group" in fields) != bool(self.groups):
            raise ValueError("groups: needed where {group} is in a path, and only there")
        if self.groups and "group" not in template.fields(self.mount_path):
            raise ValueError("mount_path: {group} is needed, for a person may be in several groups")
        if self.act_as and (others := self.groups.keys() - self.act_as.groups.keys()):
            raise ValueError(f"act_as.groups: {', '.join(sorted(others))} of groups are missing")
        return self


def check_mounts(
    mounts: Sequence[MountSettings], home: str, claims: Mapping[str, ClaimSettings]
) -> None:
    """Check what mounts say against each other and against the rest of the section.

    Parameters
    ----------
    mounts
        The rules.
    home
        The mount path of the home; empty where there is none.
    claims
        The section ``storage.claims``.

    Raises
    ------
    ValueError
        Two are in one place or have one name, one is in place of the home, or a claim is unknown or
        not there for a group.
    """
    names, places = set[str](), {home} if home else set[str]()
    for mount in mounts:
        source = mount.source
        if mount.name in names:
            raise ValueError(f"mounts.{mount.name}: there are two of this name")
        if mount.mount_path in places:
            raise ValueError(f"mounts.{mount.name}.mount_path: {mount.mount_path!r} is taken")
        if isinstance(source, ClaimSource):
            claim = claims.get(source.claim)
            if claim is None:
                raise ValueError(f"mounts.{mount.name}: there is no claim {source.claim!r}")
            if claim.per == "group" and not mount.groups:
                raise ValueError(f"mounts.{mount.name}: {source.claim!r} is per group; say groups")
            if claim.per == "group" and (others := mount.groups.keys() - claim.groups):
                raise ValueError(
                    f"mounts.{mount.name}.groups: claims.{source.claim} has none for "
                    f"{', '.join(sorted(others))}"
                )
        names.add(mount.name)
        places.add(mount.mount_path)


@dataclass(frozen=True, slots=True)
class Mounted:
    """What a person's server mounts besides the home.

    Parameters
    ----------
    volumes
        The volumes and mounts.
    directories
        The directories in them that are to be there first.
    """

    volumes: Volumes
    directories: tuple[Directory, ...]


def mounts_of(mounts: Sequence[MountSettings], owner: Owner, claims: Mapping[str, str]) -> Mounted:
    """Give what a person's server mounts besides the home.

    Parameters
    ----------
    mounts
        The rules.
    owner
        Whose server it is.
    claims
        The names of the claims that it has, by their keys, or ``KEY/GROUP`` for one per group.

    Raises
    ------
    StorageRefused
        A path cannot be made, or the gid of a group is not known.
    """
    volumes: dict[str, dict[str, Any]] = {}
    mounted: list[dict[str, Any]] = []
    directories: list[Directory] = []
    for rule in had_by(mounts, owner):
        writes = _may_write(rule, owner)
        for group in _groups(rule, owner):
            volume = _volume(rule, group, claims)
            if volume is None:  # a claim per profile, and there is none
                continue
            volumes[volume["name"]] = volume
            mount = _mount(rule, owner, group, volume["name"])
            mounted.append(mount if writes else {**mount, "readOnly": True})
            if rule.directory_mode is not None and writes:
                directories.append(_directory(rule, owner, group, mount))
    return Mounted(Volumes(tuple(volumes.values()), tuple(mounted)), tuple(directories))


def had_by(mounts: Sequence[MountSettings], owner: Owner) -> list[MountSettings]:
    """List the rules by which a server mounts anything."""
    return [one for one in mounts if decide_mount(one, owner).allowed and _groups(one, owner)]


def decide_mount(rule: MountSettings, owner: Owner) -> Decision:
    """Decide whether a server has what a rule mounts."""
    if rule.profiles and owner.profile not in rule.profiles:
        return Decision(False, "profiles", f"profile {owner.profile or 'none'} is not among them")
    return decide(rule, replace(owner.person, groups=owner.groups), default=_MEETS)


def _may_write(rule: MountSettings, owner: Owner) -> bool:
    if rule.writers is None:
        return not rule.read_only
    person = replace(owner.person, groups=owner.groups)
    return decide(rule.writers, person, default=_NOBODY).allowed


def _groups(rule: MountSettings, owner: Owner) -> list[str]:
    if not rule.groups:
        return [""]
    groups = rule.groups.keys() & owner.groups
    if rule.directory_mode is not None and owner.project is not None:
        # Nobody can give a directory to a group that they are not in.
        groups &= {group.name for group in owner.project.groups}
    return sorted(groups)


def _volume(rule: MountSettings, group: str, claims: Mapping[str, str]) -> dict[str, Any] | None:
    source, name = rule.source, f"{PREFIX}mount-{rule.name}"
    if isinstance(source, NfsSource):
        return {"name": name, "nfs": {"server": source.server, "path": source.path}}
    if isinstance(source, HostPathSource):
        return {"name": name, "hostPath": {"path": source.path, "type": "Directory"}}
    if isinstance(source, EmptyDirSource):
        empty = {"sizeLimit": source.size_limit, "medium": source.medium}
        return {"name": name, "emptyDir": {key: value for key, value in empty.items() if value}}
    if isinstance(source, ExistingClaimSource):
        claim: str | None = source.claim_name
    elif own := claims.get(f"{source.claim}/{group}"):
        claim, name = own, f"{name}-{sorted(rule.groups).index(group)}"
    else:
        claim = claims.get(source.claim)
    return {"name": name, "persistentVolumeClaim": {"claimName": claim}} if claim else None


def _mount(rule: MountSettings, owner: Owner, group: str, volume: str) -> dict[str, Any]:
    # The name of a group's directory was checked when the settings were read.
    mount_path, sub_path = (
        text.replace("{group}", rule.groups.get(group, ""))
        for text in (rule.mount_path, rule.sub_path)
    )
    mount = {"name": volume, "mountPath": paths.mountable(paths.render(mount_path, owner))}
    return {**mount, "subPath": paths.render(sub_path, owner)} if sub_path else mount


def _directory(
    rule: MountSettings, owner: Owner, group: str, mount: Mapping[str, Any]
) -> Directory:
    gid = None
    if group:
        runs_as = owner.project or owner.identity
        known = {item.name: item.gid for item in runs_as.groups} if runs_as else {}
        gid = known.get(group)
        if gid is None:
            message = f"The directory of group {group} cannot be made. {_TELL}"
            detail = f"mounts.{rule.name}: no source of identities gives the gid of {group}"
            raise StorageRefused(StorageReason.MOUNT, message, detail=detail)
    label = f"the directory {mount['mountPath']}"
    return Directory(label, mount["name"], mount["subPath"], str(rule.directory_mode), gid)
