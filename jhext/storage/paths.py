"""Paths of homes: made of names, held under their roots, and never shared by two people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from jhext.identity import names as unix
from jhext.identity.errors import BadValueError
from jhext.identity.ids import shown
from jhext.section import Section

from . import template
from .errors import StorageReason, StorageRefused
from .volumes import Owner

FIELDS = ("username", "initial", "servername", "uid", "gid", "home", "uid_mod_100")
_BY_MODULUS = re.compile(r"uid_mod_([1-9][0-9]{0,8})")
_WHOSE = frozenset({"username", "uid", "home"})
_MAX_COMPONENT = 255  # bytes, as all file systems of Linux have it
_SPECIAL = frozenset({"lost+found"})
_SYSTEM = frozenset({"/", "/bin", "/etc", "/lib", "/lib64", "/sbin", "/usr", "/var", "/run"})
_RESERVED = (
    *("/proc", "/sys", "/dev", "/etc/passwd", "/etc/group", "/jhext"),
    *("/var/run/secrets", "/run/secrets"),
)


def _is_field(name: str) -> bool:
    return name in FIELDS or _BY_MODULUS.fullmatch(name) is not None


def _path_template(value: str) -> str:
    template.check(value, _is_field, FIELDS)
    found = template.fields(value)
    if "home" in found:
        if value != "{home}":
            raise ValueError(f"{value!r}: {{home}} is a whole path and stands alone")
        return value
    for component in value.split("/"):
        inside = template.fields(component)
        if len(inside) > 1 or (inside == ["servername"] and component != "{servername}"):
            raise ValueError(
                f"{value!r}: {component!r} is made of too much to tell people apart: put a / "
                "between the fields"
            )
    if not _WHOSE & set(found):
        raise ValueError(f"{value!r}: {{username}} or {{uid}} is needed, or all share one home")
    whose = min(found.index(name) for name in _WHOSE & set(found))
    if "servername" in found[:whose]:
        # The default server has no name: /home/{servername}/{username} would be /home/bob for
        # bob, and in it, as /home/bob/eve, the home of a server that eve calls bob.
        raise ValueError(f"{value!r}: {{servername}} has to come after {{{found[whose]}}}")
    return value


def _absolute_template(value: str) -> str:
    if value != "{home}" and not value.startswith("/"):
        raise ValueError(f"{value!r} is no absolute path")
    return _path_template(value)


def _relative_template(value: str) -> str:
    if value == "{home}" or value.startswith("/"):
        raise ValueError(f"{value!r} is no path inside a volume: it begins without a /")
    return _path_template(value)


def absolute(value: str) -> str:
    """Check an absolute path that somebody configured, and write it without a ``/`` at its end.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        return _joined(unix.path(value).split("/"))
    except BadValueError as error:
        raise ValueError(str(error)) from None


def in_container(value: str) -> str:
    """Check an absolute path at which something is mounted into the container.

    Raises
    ------
    ValueError
        It is none, or not for volumes.
    """
    path = absolute(value)
    below = any(path == root or path.startswith(root + "/") for root in _RESERVED)
    if path in _SYSTEM or (below and path != "/dev/shm"):  # noqa: S108 - where RAM disks belong
        raise ValueError(f"{path!r} belongs to the system or to the pod's identity")
    return path


Absolute = Annotated[str, AfterValidator(absolute)]
AbsoluteTemplate = Annotated[str, AfterValidator(_absolute_template)]
RelativeTemplate = Annotated[str, AfterValidator(_relative_template)]


class Root(Section):
    """A directory that homes are in."""

    path: Absolute = Field(
        description="The directory as the path says it, which comes from the template or from "
        "whoever knows people.",
        examples=["/u"],
    )
    node: Absolute | None = Field(
        default=None,
        description="The same directory as the nodes, or the NFS server, see it.",
        examples=["/gpfs/fs1/u"],
    )
    container: Absolute | None = Field(
        default=None,
        description="The same directory as the container sees it, for a `mount_path` of `{path}`.",
        examples=["/home"],
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a home is.

    Parameters
    ----------
    root
        The directory that homes are in, as the nodes see it.
    below
        The rest of the path, never empty.
    container
        The whole path as the container sees it.
    """

    root: str
    below: str
    container: str

    @property
    def path(self) -> str:
        """The whole path as the nodes see it."""
        return _joined([*self.root.split("/"), *self.below.split("/")])


def implied_root(path: str) -> Root:
    """Give the root of a template: all of it before the component with the first field."""
    text = path.partition("{")[0]
    return Root(path=text.rpartition("/")[0] or "/")


def render(path: str, owner: Owner) -> str:
    """Put a person into a template, as components of a path and nothing else.

    Raises
    ------
    StorageRefused
        The person has not what the template needs, or a name is no component.
    """
    return _normalised(text(path, owner))


def mountable(path: str) -> str:
    """Check a path at which something is mounted, now that the person is in it.

    Raises
    ------
    StorageRefused
        Their name, or their home, makes it a path that is not for volumes.
    """
    try:
        return in_container(path)
    except ValueError as error:
        raise _refused(str(error)) from None


def text(path: str, owner: Owner) -> str:
    """Put a person into a text, whose fields become components of a path and nothing else.

    Raises
    ------
    StorageRefused
        As `render` does.
    """
    values = {}
    for name in template.fields(path):
        value = values[name] = _value(name, owner)
        if name != "home" and (name != "servername" or value):
            _check_component(value)
    return template.render(path, values)


def place(path: str, roots: tuple[Root, ...], owner: Owner) -> Place:
    """Find the home of a person, under one of the roots.

    Raises
    ------
    StorageRefused
        There is none, or it is elsewhere.
    """
    found = render(path, owner)
    for root in roots or (implied_root(path),):
        prefix = root.path.rstrip("/") + "/"
        below = found.removeprefix(prefix)
        if below != found and below:
            inside = root.container or root.path
            return Place(root.node or root.path, below, _joined(f"{inside}/{below}".split("/")))
    listed = ", ".join(root.path for root in roots)
    raise _refused(f"{shown(found)} is under none of the roots: {listed}")


def _value(name: str, owner: Owner) -> str:
    identity = owner.identity
    if name == "servername":
        return owner.server
    if name in ("username", "initial"):
        username = identity.username if identity else owner.user
        return username if name == "username" else username[:1]
    if identity is None:
        raise _refused(f"{{{name}}} needs the section identity, in mode user")
    if name == "home":
        if not identity.home:
            raise _refused(f"no source of identities knows a home of {shown(owner.user)}")
        return identity.home
    if modulus := _BY_MODULUS.fullmatch(name):
        return str(identity.uid % int(modulus[1]))
    return str(identity.uid if name == "uid" else identity.gid)


def _check_component(value: str) -> None:
    problem = ""
    if not value or value.startswith(".") or value in _SPECIAL:
        problem = "is no name of a home"
    elif "/" in value or len(value.encode(errors="surrogatepass")) > _MAX_COMPONENT:
        problem = "is no single component of a path"
    else:
        try:
            unix.path("/" + value)
        except BadValueError:
            problem = "has characters that no path should have"
    if problem:
        raise _refused(f"{shown(value)} {problem}")


def _normalised(path: str) -> str:
    try:
        unix.path(path if path.startswith("/") else "/" + path)
    except BadValueError as error:
        raise _refused(str(error)) from None
    return _joined(path.split("/"))


def _joined(components: list[str]) -> str:
    """Join components, without the empty ones that ``//`` and a ``/`` at the end make."""
    start = "" if components[0] else "/"
    return start + "/".join(filter(None, components))


def _refused(detail: str) -> StorageRefused:
    message = "Your home directory is not where it should be. Please tell your administrator."
    return StorageRefused(StorageReason.PATH, message, detail=detail)
