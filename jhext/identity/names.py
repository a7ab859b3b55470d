"""Names and texts: what may stand in ``/etc/passwd``, ``/etc/group`` and a path.

A name that identifies somebody is taken as it is or not at all, since a changed one would be
somebody else's. A text that only describes is cleaned instead.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from .errors import BadValueError
from .ids import shown

RESERVED_NAMES = frozenset({"root", "nobody", "nogroup"})
"""Names that mean something to every system, so that no person or group may have them."""

NO_LOGIN_SHELLS = frozenset({"false", "nologin", "true"})
"""Programs that stand for "no shell here"; they are about the login hosts, not about a pod."""

_MAX_NAME = 255  # LOGIN_NAME_MAX of Linux, less its NUL
_MAX_PATH = 4095
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
_GROUP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+\\ -]*(?<! )")
_EMAIL = re.compile(r"[^\s\"<>@:,;\\]{1,64}@[A-Za-z0-9.-]{1,255}")
_SHELL = re.compile(r"(/[A-Za-z0-9_.+-]+)+")
_DROPPED = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def user_name(value: Any) -> str:
    """Check the name of a person.

    Letters, digits and ``_ . @ + -`` of ASCII, not beginning with a sign, not digits alone
    (programs that take a name or an id would take it for the id), at most 255 characters.

    Raises
    ------
    BadValueError
        When it is not such a name, or a reserved one.
    """
    return _name(value, _USER)


def group_name(value: Any) -> str:
    r"""Check the name of a group, by the rules of `user_name`.

    Active Directory's spaces (not at the end) and ``DOMAIN\group`` are taken too.
    """
    return _name(value, _GROUP)


def _name(value: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value) or len(value) > _MAX_NAME:
        raise BadValueError(f"{shown(value)} is no name that Unix can use")
    if value.isdigit():
        raise BadValueError(f"{shown(value)} is all digits, which would be taken for an id")
    if value in RESERVED_NAMES:
        raise BadValueError(f"{shown(value)} is reserved")
    return value


def path(value: Any) -> str:
    """Check an absolute path.

    Raises
    ------
    BadValueError
        When it is not absolute, has a ``.`` or ``..`` in it, or a character that ends a field of
        ``/etc/passwd`` or a line, or that has no meaning in a file name.
    """
    if not isinstance(value, str) or not value.startswith("/") or len(value) > _MAX_PATH:
        raise BadValueError(f"{shown(value)} is no absolute path")
    if ":" in value or value != _printable(value):
        raise BadValueError(f"{shown(value)} has a colon or an unprintable character in it")
    if not {".", ".."}.isdisjoint(value.split("/")):
        raise BadValueError(f"{shown(value)} has a '.' or '..' in it")
    return value


def shell(value: Any) -> str:
    """Check the path of a login shell; one that stands for "no shell" becomes the empty text."""
    if not isinstance(value, str) or not _SHELL.fullmatch(value) or len(value) > _MAX_PATH:
        raise BadValueError(f"{shown(value)} is no path of a program")
    return "" if value.rpartition("/")[2] in NO_LOGIN_SHELLS else value


def email(value: Any) -> str:
    """Check a mail address, roughly: enough for the header of a git commit."""
    if not isinstance(value, str) or not _EMAIL.fullmatch(value) or value != _printable(value):
        raise BadValueError(f"{shown(value)} is no mail address")
    return value


def gecos(value: Any) -> str:
    """Clean the full name of a person, in any script, for one field of ``/etc/passwd``.

    Colons become spaces; control characters, line ends of every script, halves of characters and
    marks that turn the writing direction are dropped; at most 255 characters are kept.
    """
    if not isinstance(value, str):
        raise BadValueError(f"{shown(value)} is no text")
    return " ".join(_printable(value.replace(":", " ")).split())[:255].rstrip()


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        for character in text
        if unicodedata.category(character) not in _DROPPED and character not in _BIDI
    )
