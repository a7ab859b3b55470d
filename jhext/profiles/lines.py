"""Text files in which a line is an entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from .finding import ConfigurationError, FaultyError, Finding

T = TypeVar("T")


def parse_lines(content: bytes, file: str, parse: Callable[[int, str], Iterable[T]]) -> list[T]:
    """Read such a file: UTF-8, with or without a byte-order mark, lines of UNIX or Windows.

    Parameters
    ----------
    content
        What is in the file.
    file
        Its name, for messages.
    parse
        Reads a line, given its number, counted from 1, and its text without blanks around it.
        Raises `FaultyError` where the line is malformed.

    Raises
    ------
    ConfigurationError
        Lines are malformed. Each is told with its number.
    """
    entries: list[T] = []
    found: list[tuple[str, str, int]] = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            text = line.decode().strip()
            if not text.replace("\t", "").isprintable():
                raise FaultyError("holds a character that nobody can see", "type the line anew")
            entries += parse(number, text)
        except UnicodeDecodeError:
            found.append(("is not UTF-8", "save the file as UTF-8", number))
        except FaultyError as error:
            found.append((error.message, error.suggestion, number))
    if found:
        raise ConfigurationError(
            Finding("error", "", "", message, file, number, suggestion=suggestion)
            for message, suggestion, number in found
        )
    return entries
