"""Names of claims: made of KubeSpawner's slugs, so that no two people ever share one."""

from __future__ import annotations

import re
from typing import Literal

from kubespawner.slugs import escape_slug, multi_slug, safe_slug

from . import template as templates
from .volumes import Owner

Per = Literal["user", "server", "group", "profile", "hub"]
"""What a claim is one of: there is one for each of these."""

FIELDS: dict[str, frozenset[str]] = {
    "user": frozenset({"username"}),
    "server": frozenset({"username", "servername", "user_server"}),
    "group": frozenset({"group"}),
    "profile": frozenset({"profile"}),
    "hub": frozenset(),
}
"""What may stand in the name of a claim, by what it is one of; and ``claim`` everywhere."""

DEFAULTS: dict[str, str] = {
    "user": "{claim}-{username}",
    "server": "{claim}-{user_server}",
    "group": "{claim}-{group}",
    "profile": "{claim}-{profile}",
    "hub": "{claim}",
}
"""The names of claims where none is configured."""

_NEEDED: dict[str, tuple[frozenset[str], ...]] = {
    "user": (frozenset({"username"}),),
    "server": (frozenset({"user_server"}), frozenset({"username", "servername"})),
    "group": (frozenset({"group"}),),
    "profile": (frozenset({"profile"}),),
    "hub": (frozenset(),),
}
_SLUG = 48
"""How long a slug may be: KubeSpawner's own limit."""
_BETWEEN = "--"
"""What stands between two slugs. It is in none of them, so that where one ends is never in doubt.

The exception is the ``---`` before the hash that some slugs end in, which is told by its length.
"""
_MAX_NAME = 253
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def slug(name: str) -> str:
    """Make of any name what may stand in the name of an object, as KubeSpawner does."""
    return safe_slug(name, max_length=_SLUG) if name else ""


def user_server(user: str, server: str) -> str:
    """Make one slug of the names of a person and of a server, as KubeSpawner does."""
    first, second = slug(user), slug(server)
    if len(first) + len(second) + 2 > _SLUG:
        return str(multi_slug([user, server], max_length=_SLUG))
    return f"{first}{_BETWEEN}{second}" if second else first


def check_name(template: str, key: str, per: Per) -> None:
    """Check the template of a claim's name before anybody needs it.

    Raises
    ------
    ValueError
        It has an unknown field or lacks one that tells people apart; two fields run into each
        other; it becomes too long, or is no name in Kubernetes.
    """
    known = FIELDS[per] | {"claim"}
    templates.check(template, known.__contains__, known)
    found = templates.fields(template)
    if not any(needed <= set(found) for needed in _NEEDED[per]):
        needs = " or ".join(
            " and ".join(f"{{{name}}}" for name in sorted(needed)) for needed in _NEEDED[per]
        )
        raise ValueError(f"{template!r}: a claim per {per} has {needs} in its name")
    pieces = [piece for piece in templates.parts(_with_key(template, key)) if piece[1]]
    for text, name in pieces[1:]:
        if _BETWEEN not in text:
            raise ValueError(
                f"{template!r}: {_BETWEEN} has to stand before {{{name}}}, for where a name ends "
                "is in doubt otherwise: a-b and c, or a and b-c"
            )
    longest = templates.render(_with_key(template, key), dict.fromkeys(known, "x" * _SLUG))
    if len(longest) > _MAX_NAME:
        raise ValueError(f"{template!r}: becomes {len(longest)} long, {_MAX_NAME} are allowed")
    if not _NAME.fullmatch(longest):
        raise ValueError(f"{template!r}: a name has small letters, digits, - and . alone")


def prefix(template: str, key: str) -> str:
    """Give the text before the first field of a name; all of it where there is none."""
    text, _ = (templates.parts(_with_key(template, key)) or [("", "")])[0]
    return text


def name_of(template: str, key: str, owner: Owner, group: str = "") -> str:
    """Give the name of a claim.

    As KubeSpawner does, a ``-`` at the end is dropped where the default server has no name.

    Parameters
    ----------
    template
        What `check_name` has seen.
    key
        The key of the claim in ``storage.claims``.
    owner
        Whose server it is for.
    group
        The group, for a claim per group.
    """
    values = {
        "username": slug(owner.user),
        "servername": slug(owner.server),
        "user_server": user_server(owner.user, owner.server),
        "profile": slug(owner.profile),
        "group": slug(group),
    }
    return templates.render(_with_key(template, key), values).rstrip("-")


def escaped_name(template: str, key: str, owner: Owner) -> str:
    """Give the name that KubeSpawner before 7 would have made of the same template."""
    user, server = escape_slug(owner.user), escape_slug(owner.server)
    values = {
        "username": user,
        "servername": server,
        "user_server": f"{user}--{server}" if server else user,
    }
    return templates.render(_with_key(template, key), values).rstrip("-")


def is_name(text: str) -> bool:
    """Say whether Kubernetes takes this as the name of a claim."""
    return len(text) <= _MAX_NAME and _NAME.fullmatch(text) is not None


def _with_key(template: str, key: str) -> str:
    return template.replace("{claim}", key)
