"""The init containers that run `inithome`: which directories, under whose ids, in which image.

There are up to two, since there are two kinds of right. `MAKES` sees whole volumes, other people's
homes among them, so it runs an image of the operator's and makes directories alone. `FILLS` runs
the image that the person starts, perhaps one of their choice, so it sees their home alone.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from jhext.pod.manifest import Manifest, without
from jhext.section import Section
from jhext.units import parse_memory

from .paths import Absolute, Place
from .volumes import Object, Owner, Volumes

MAKES = "jhext-directories"
"""The name of the init container that makes directories in volumes which many share."""
FILLS = "jhext-inithome"
"""The name of the init container that looks at the home and puts into it what it should have."""

_ROOT = "/jhext"
_AS_ROOT = {
    "runAsUser": 0,
    "runAsGroup": 0,
    "runAsNonRoot": False,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"], "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER"]},
}
_RESOURCES = ("cpu", "memory")


def _relative(value: str) -> str:
    if value and any(name in ("", ".", "..") or "\0" in name for name in value.split("/")):
        raise ValueError(f"{value!r} is no path below the home")
    return value


Mode = Annotated[str, Field(pattern="^0?[0-7]{3,4}$")]
"""In quotes: without, YAML reads a number that is not octal."""
Below = Annotated[str, AfterValidator(_relative)]


class CopySettings(Section):
    """One of ``storage.init.copies``."""

    source: Absolute = Field(description="A directory of the image.", examples=["/opt/app-root"])
    target: Below = Field(default="", description="Where in the home; empty for the home itself.")
    when: Literal["if_empty", "sync"] = Field(
        default="if_empty",
        description="`if_empty`: once, into a directory without content. `sync`: what is missing, "
        "at each start. What is there is never changed.",
    )


class RoomSettings(Section):
    """The section ``storage.init.room``: a full home is told before the server starts in it."""

    free: Annotated[
        int, BeforeValidator(parse_memory), WithJsonSchema({"type": ["string", "integer"]})
    ] = Field(
        default=2**20,
        description="How much has to fit in. It is written, and deleted at once.",
        examples=["10M"],
    )
    rescue_profile: str = Field(
        default="",
        description="The slug of a profile that starts all the same, for people to make room. "
        "Nothing is copied then. It should keep what it writes itself elsewhere.",
        examples=["rescue"],
    )


class InitSettings(Section):
    """The section ``storage.init``: what is done to a home before the server starts."""

    create: Literal["no", "user", "chown"] = Field(
        default="no",
        description="Who makes a directory that is missing, of a home or of a group. `user`: the "
        "person, where the storage lets them. `chown`: root, who gives it away; "
        f"`pod.privileged_containers` has to name `{MAKES}`.",
    )
    image: str = Field(
        default="",
        description="An image of yours with Python 3.7 or newer. Directories are made in it, since "
        "it sees those of others too. Needed where `create` is not `no`.",
        examples=["docker.io/library/python:3.13-slim"],
    )
    mode: Mode = Field(default="0700", description="The mode of a home.", examples=["0711"])
    check_owner: bool = Field(
        default=True,
        description="Whether a home that belongs to another uid is refused. Say `false` where the "
        "storage gives all files to one uid.",
    )
    umask: Mode = Field(default="022", description="What is taken from the modes of copies.")
    skel: Absolute | None = Field(
        default=None,
        description="A directory of the image that is copied into a home without content.",
        examples=["/etc/skel"],
    )
    copies: tuple[CopySettings, ...] = Field(
        default=(), strict=False, description="What else is copied into it."
    )
    directories: dict[Below, Mode] = Field(
        default_factory=dict,
        description="Directories that it has, with their modes.",
        examples=[{"notebooks": "0755", "DATA": "0755", "WORK": "0755"}],
    )

    room: RoomSettings | None = Field(
        default=None,
        description="Whether a home that is full is told, by a start that fails with these words.",
        examples=[{"rescue_profile": "rescue"}],
    )

    @property
    def all_copies(self) -> tuple[CopySettings, ...]:
        """What is copied, the skeleton first."""
        skel = (CopySettings(source=self.skel),) if self.skel else ()
        return skel + self.copies


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that is to be there.

    Parameters
    ----------
    label
        What messages call it.
    volume
        The name of the volume it is in.
    path
        Its path in the volume.
    mode
        Its mode, in octal.
    group
        The gid that it belongs to; None for whichever the storage gives it.
    owner
        The uid that it belongs to; None for anybody's.
    moved_from
        Where it was until now. Then it is not made anew: its files are there.
    """

    label: str
    volume: str
    path: str
    mode: str
    group: int | None = None
    owner: int | None = None
    moved_from: str = ""


def check_init(settings: InitSettings | None, makes_directories: bool) -> None:
    """Check that what makes directories may do so.

    Parameters
    ----------
    settings
        The section ``storage.init``.
    makes_directories
        Whether ``storage.mounts`` asks for directories.

    Raises
    ------
    ValueError
        Directories are to be made, and nobody may; or in an image that a person may have chosen.
    """
    if settings is None or settings.create == "no":
        if makes_directories:
            raise ValueError("mounts: directory_mode needs init.create: user, or chown")
    elif not settings.image:
        raise ValueError("init.image: needed with create; what makes directories sees others' too")


def through_root(volumes: Volumes, place: Place | None) -> Volumes:
    """Mount a home by way of the directory that homes are in, so that it can be made there.

    Parameters
    ----------
    volumes
        The home.
    place
        Where it is; None where it is a whole volume.
    """
    if place is None or not volumes.volumes:
        return volumes
    (volume,), (mount,) = volumes.volumes, volumes.mounts
    kind = "nfs" if "nfs" in volume else "hostPath"
    if kind not in volume:  # a claim, which is mounted so anyway
        return volumes
    source = {**volume[kind], "path": place.root}
    mount = {**mount, "subPath": place.below}
    return Volumes(({**volume, kind: source},), (mount,), volumes.home_mount, volumes.claims)


def init_containers(
    settings: InitSettings,
    owner: Owner,
    volumes: Volumes,
    directories: Sequence[Directory],
    notebook: Mapping[str, Any],
    *,
    rescues: bool = False,
    moved_from: str = "",
) -> list[dict[str, Any]]:
    """Give the init containers that prepare a person's directories.

    Parameters
    ----------
    settings
        The section ``storage.init``.
    owner
        Whose server it is.
    volumes
        What it mounts, the home at `Volumes.home_mount`.
    directories
        What is to be there besides the home.
    notebook
        The notebook's container, whose image, amounts and security context they have.
    rescues
        Whether it is started to make room, so that nothing is written into the home.
    moved_from
        Where the home was until now, if it was elsewhere.
    """
    uid = owner.identity.uid if owner.identity and settings.check_owner else None
    homes = [mount for mount in volumes.mounts if mount["mountPath"] == volumes.home_mount]
    making, fill, room = list(directories), _fill(settings), _room(settings)
    if rescues:
        fill = room = None
    gives_away = settings.create == "chown"
    if homes and (gives_away or "subPath" in homes[0]):
        home = _home(settings, homes[0], homes[0].get("subPath", ""), uid)
        making.insert(0, replace(home, moved_from=moved_from))
    containers = []
    if making and settings.create != "no":
        mounts = _mounts(item.volume for item in making)
        plan = _plan(making, gives_away=gives_away)
        containers.append(_container(MAKES, plan, mounts, notebook) | {"image": settings.image})
        if gives_away:
            containers[0]["securityContext"] = _AS_ROOT
    if homes and (fill or room or not containers):
        found = _home(settings, homes[0], "", uid if _is_directory(homes[0], volumes) else None)
        plan = _plan([found], fill=fill, room=room)
        mount = {**homes[0], "mountPath": _path(found.volume)}
        containers.append(_container(FILLS, plan, [mount], notebook))
    return containers


def put_first(manifest: Manifest, prepares: Sequence[dict[str, Any]]) -> None:
    """Let init containers run before all others of a pod; doing it again changes nothing."""
    names = frozenset({MAKES, FILLS})
    others = without(manifest["spec"].get("initContainers"), "name", names)
    manifest["spec"]["initContainers"] = [*copy.deepcopy(list(prepares)), *others]


def _is_directory(mount: Object, volumes: Volumes) -> bool:
    """Tell a directory of the person's from the root of a volume, which is often root's."""
    (volume,) = (item for item in volumes.volumes if item["name"] == mount["name"])
    return "subPath" in mount or "hostPath" in volume or "nfs" in volume


def _home(settings: InitSettings, mount: Object, path: str, owner: int | None) -> Directory:
    return Directory("your home", mount["name"], path, settings.mode, owner=owner)


def _plan(
    directories: Iterable[Directory],
    *,
    gives_away: bool = False,
    fill: Any = None,
    room: Any = None,
) -> dict[str, Any]:
    planned = [
        {
            "label": item.label,
            "root": _path(item.volume),
            "path": item.path,
            "mode": int(item.mode, 8),
            "owner": item.owner,
            "group": item.group,
            "moved_from": item.moved_from,
        }
        for item in directories
    ]
    return {"directories": planned, "gives_away": gives_away, "fill": fill, "room": room}


def _path(volume: str) -> str:
    return f"{_ROOT}/{volume}"


def _mounts(names: Iterable[str]) -> list[Object]:
    return [{"name": name, "mountPath": _path(name)} for name in dict.fromkeys(names)]


def _room(settings: InitSettings) -> dict[str, Any] | None:
    if settings.room is None:
        return None
    rescue = settings.room.rescue_profile
    hint = f"To make room, start the profile {rescue}." if rescue else "Please make room."
    return {"bytes": settings.room.free, "hint": hint}


def _fill(settings: InitSettings) -> dict[str, Any] | None:
    if not settings.all_copies and not settings.directories:
        return None
    return {
        "umask": int(settings.umask, 8),
        "copies": [item.model_dump() for item in settings.all_copies],
        "directories": [
            {"path": path, "mode": int(mode, 8)} for path, mode in settings.directories.items()
        ],
    }


def _container(
    name: str, plan: Mapping[str, Any], mounts: Sequence[Object], notebook: Mapping[str, Any]
) -> dict[str, Any]:
    arguments = (_source(), json.dumps(plan))
    container = {
        "name": name,
        "command": ["python3", "-I", "-c"],
        # Kubernetes reads $(NAME) as a variable, and $$ as the sign itself.
        "args": [argument.replace("$", "$$") for argument in arguments],
        "volumeMounts": list(mounts),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": {
            kind: {what: amounts[what] for what in _RESOURCES if what in amounts}
            for kind, amounts in (notebook.get("resources") or {}).items()
            if kind in ("limits", "requests") and amounts
        },
    }
    same = ("image", "imagePullPolicy", "securityContext")
    return container | {key: notebook[key] for key in same if key in notebook}


@cache
def _source() -> str:
    return Path(__file__).with_name("inithome.py").read_text()
