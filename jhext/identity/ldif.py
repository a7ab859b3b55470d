"""LDIF (RFC 2849): the text form of entries of a directory."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping

Entry = Mapping[str, list[str]]
"""The values of each attribute, by its name in small letters."""


def entries(text: str) -> Iterator[tuple[int, Entry]]:
    """Read entries, each with the number of its first line.

    Raises
    ------
    ValueError
        It is no LDIF, or has changes of entries or the addresses of values in it; the text says
        in which line.
    """
    entry: dict[str, list[str]] = {}
    first = 0
    for number, line in [*_lines(text), (0, "")]:
        if not line:
            if entry:
                yield first, entry
            entry = {}
            continue
        try:
            name, value = _attribute(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        if not entry and name == "version":
            continue
        if not entry and name != "dn":
            raise ValueError(f"line {number}: an entry begins with its dn")
        if name == "changetype":
            raise ValueError(f"line {number}: changes of entries cannot be read, only entries")
        first = first if entry else number
        entry.setdefault(name, []).append(value)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Join what is folded, leave out comments, and number the rest."""
    joined: list[tuple[int, str]] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line.startswith(" "):
            if not joined or not joined[-1][1]:
                raise ValueError(f"line {number}: there is nothing that it continues")
            joined[-1] = joined[-1][0], joined[-1][1] + line[1:]
        else:
            joined.append((number, line))
    return ((number, line) for number, line in joined if not line.startswith("#"))


def _attribute(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name:
        raise ValueError("is no attribute")
    if value.startswith("<"):
        raise ValueError("the values of addresses are not read")
    if not value.startswith(":"):
        return name.lower(), value.strip(" ")
    try:
        return name.lower(), b64decode(value[1:].strip(" "), validate=True).decode()
    except ValueError:
        raise ValueError(f"{name} is no text in base64") from None


def attribute(name: str, value: str) -> str:
    """Write an attribute; what LDIF cannot hold as it is goes in base64."""
    is_plain = value.isascii() and value.isprintable() and value == value.strip(" ")
    if is_plain and value[:1] not in (":", "<", ""):
        return f"{name}: {value}"
    return f"{name}:: {b64encode(value.encode()).decode()}"
