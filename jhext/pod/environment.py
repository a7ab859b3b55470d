"""The variables that say who somebody is, and which names of variables belong to nobody else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jhext.identity.model import Identity

from .manifest import Manifest, notebook

_NAMES = frozenset(
    {
        "USER",
        "LOGNAME",
        "USERNAME",
        "HOME",
        "SHELL",
        "NB_USER",
        "NB_UID",
        "NB_GID",
        "NB_UMASK",
        "GRANT_SUDO",
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
    }
)
_PREFIXES = ("CHOWN_", "JUPYTERHUB_", "KUBERNETES_", "LD_", "NSS_WRAPPER_")
_GIT_CONFIG = "GIT_CONFIG_"
_SWITCHES = re.compile(r"GRANT_SUDO|CHOWN_.*|NSS_WRAPPER_.*", re.S)

_GIT_CRUD = ".,:;<>\"\\'"  # what git strips from both ends of a name (ident.c); and spaces
_GIT_FORBIDDEN = str.maketrans("", "", "<>")


def is_reserved(name: str) -> bool:
    """Say whether a variable may only be set by the hub and by jhext.

    These name the person, make an image act as root on the person's behalf, load code into
    programs, or hold what the hub and Kubernetes tell the server.
    """
    return name in _NAMES or name.startswith(_PREFIXES)


def check_names(written: Mapping[str, Any], formatted: Mapping[str, Any]) -> None:
    """Check that free text has not become the name of a variable that is nobody's to set.

    Parameters
    ----------
    written
        The overrides as the operator wrote them; what they name is the operator's affair.
    formatted
        The same with the text in its place.

    Raises
    ------
    ValueError
        It has.
    """
    before, after = written.get("environment"), formatted.get("environment")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in after.keys() - before.keys():
            if is_reserved(str(name)):
                raise ValueError(f"{name!a} is reserved")


def variables(identity: Identity, home: str) -> dict[str, str]:
    """Give the variables of a person with an identity.

    ``LOGNAME``, ``USER`` and ``USERNAME`` are what Python's ``getpass.getuser()`` reads, ``NB_*``
    what Jupyter's own images read. git gets a name and an address only where they are known: it
    refuses to commit with an empty one.

    Parameters
    ----------
    identity
        The person.
    home
        The home directory in the container.
    """
    values = anonymous_variables(identity.username, home)
    values |= {"NB_UID": str(identity.uid), "NB_GID": str(identity.gid)}
    if identity.shell:
        values["SHELL"] = identity.shell
    git = {
        "NAME": (identity.gecos or "").translate(_GIT_FORBIDDEN).strip(_GIT_CRUD + " "),
        "EMAIL": identity.email or "",
    }
    for kind, value in git.items():
        if value:
            values[f"GIT_AUTHOR_{kind}"] = values[f"GIT_COMMITTER_{kind}"] = value
    return values


def anonymous_variables(username: str, home: str) -> dict[str, str]:
    """Give the variables of a person whose ids the platform assigns.

    Parameters
    ----------
    username
        The name of the person. Unprintable characters are dropped.
    home
        The home directory in the container.
    """
    name = "".join(filter(str.isprintable, username))
    return {"USER": name, "LOGNAME": name, "USERNAME": name, "NB_USER": name, "HOME": home}


def set_variables(
    manifest: Manifest, values: dict[str, str], git: Sequence[tuple[str, str]] = ()
) -> None:
    """Set variables of the notebook's container, whatever was there under their names.

    They come first, so that other variables may refer to them. The switches by which images start
    as root, or give out names of their own, are dropped. Where nobody else configures git by
    ``GIT_CONFIG_*``, it is told the name and the address in this way too.

    Parameters
    ----------
    manifest
        The pod; it is changed.
    values
        Names and what they shall mean, literally.
    git
        Further keys and values of git's configuration.
    """
    container = notebook(manifest)
    others = [
        variable
        for variable in container.get("env") or ()
        if variable.get("name") not in values and not _SWITCHES.fullmatch(str(variable.get("name")))
    ]
    if not any(str(variable.get("name")).startswith(_GIT_CONFIG) for variable in others):
        others += entries(_git_config(values, git))
    container["env"] = [*entries(values), *others]


def _git_config(values: dict[str, str], more: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Give the variables by which ``git config user.name`` answers (git 2.31 and later)."""
    keys = {"user.name": "GIT_AUTHOR_NAME", "user.email": "GIT_AUTHOR_EMAIL"}
    known = [(key, values[name]) for key, name in keys.items() if name in values]
    known += more
    numbered = {
        f"{_GIT_CONFIG}{kind}_{number}": text
        for number, (key, value) in enumerate(known)
        for kind, text in (("KEY", key), ("VALUE", value))
    }
    return {**numbered, f"{_GIT_CONFIG}COUNT": str(len(known))} if known else {}


def entries(values: dict[str, str]) -> list[dict[str, str]]:
    """Write variables as Kubernetes reads them, which replaces ``$(NAME)`` unless told not to."""
    return [{"name": name, "value": value.replace("$", "$$")} for name, value in values.items()]
