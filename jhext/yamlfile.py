"""YAML files, read safely and without dropping anything, with the line of everything in them."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from inspect import isgenerator
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import Resolver
from yaml.scanner import Scanner

from .profiles.finding import ConfigurationError, Finding
from .profiles.reading import Reading, content_of

try:
    from yaml._yaml import CParser
except ImportError:  # PyYAML built without libyaml

    class CParser(Reader, Scanner, Parser):  # type: ignore[no-redef]
        """PyYAML's own parser, which is slower."""

        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)


MAX_VALUES = 1_000_000
"""How much a file may hold; a few lines of aliases of aliases stand for more than any memory."""

MAX_DEPTH = 100
"""How deeply a file may be nested; whatever reads the values goes as deep."""

KeyPath = tuple[Any, ...]
"""Keys of mappings and positions in lists that lead to a value, counted from 0."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML file says, and where.

    Parameters
    ----------
    value
        What it says.
    lines
        The line of each value in it, or of its key where it has one, counted from 1.
    """

    value: Any
    lines: Mapping[KeyPath, int]

    def line(self, path: Sequence[Any]) -> int:
        """Give the line of a value, or of what it would be in; 0 where that is not known."""
        found = (self.lines.get(tuple(path[:end])) for end in range(len(path), -1, -1))
        return next((line for line in found if line), 0)


class _Loader(CParser, SafeConstructor, Resolver):
    """What PyYAML's safe loader has for events and scalars."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)

    def scalar(self, event: Any) -> Any:
        """Make the value of a scalar."""
        tag = event.tag
        if tag in (None, "!"):
            tag = self.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        construct = self.yaml_constructors.get(tag, SafeConstructor.construct_undefined)
        try:
            value = construct(self, yaml.ScalarNode(tag, event.value, event.start_mark))
        except ValueError as error:
            raise _problem(str(error), event) from None
        except (LookupError, AttributeError):  # PyYAML's ways to say that a text is none
            raise _problem(f"a single value cannot be {tag}", event) from None
        if isgenerator(value):  # for what has more than one value
            raise _problem(f"a single value cannot be {tag}", event)
        return value


_MERGE = "<<"
_PLAIN_TAGS = {None, "!", Resolver.DEFAULT_MAPPING_TAG, Resolver.DEFAULT_SEQUENCE_TAG}


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A value that aliases stand for, and where the lines below it are noted."""

    value: Any
    path: KeyPath
    notes: range


class _Builder:
    """Makes a `Document` of events.

    PyYAML's own composer makes several objects of everything first. Of a long file they are so
    many that the garbage collector runs again and again, and with it nothing else does.
    """

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._anchors: dict[str, _Anchor | None] = {}
        self.notes: list[tuple[KeyPath, int]] = []

    def document(self) -> Any:
        """Read the one document that there is, or none."""
        self._loader.get_event()  # begins the stream
        if self._loader.check_event(yaml.StreamEndEvent):
            return None
        self._loader.get_event()  # begins the document
        event = self._loader.get_event()
        value = self._value((), event, _line(event))
        self._loader.get_event()  # ends it
        if not self._loader.check_event(yaml.StreamEndEvent):
            raise _problem("there is another document", self._loader.get_event())
        return value

    def _value(self, path: KeyPath, event: Any, line: int) -> Any:
        self._note([(path, line)], event)
        if isinstance(event, yaml.AliasEvent):
            anchor = self._anchor(event)
            self._note(self._moved(anchor.notes, anchor.path, path), event)
            return anchor.value
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        first = len(self.notes)
        if isinstance(event, yaml.ScalarEvent):
            value = self._loader.scalar(event)
        elif event.tag not in _PLAIN_TAGS:
            raise _problem(f"nothing here can be {event.tag}", event)
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._mapping(path)
        else:
            value = self._sequence(path)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(value, path, range(first, len(self.notes)))
        return value

    def _sequence(self, path: KeyPath) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := self._loader.get_event(), yaml.SequenceEndEvent):
            values.append(self._value((*path, len(values)), event, _line(event)))
        return values

    def _mapping(self, path: KeyPath) -> dict[Any, Any]:
        merged: dict[Any, Any] | None = None
        own: dict[Any, Any] = {}
        while not isinstance(event := self._loader.get_event(), yaml.MappingEndEvent):
            is_merge = _is_merge(event)
            key = _MERGE if is_merge else self._key(event)
            if key in own or (is_merge and merged is not None):
                # YAML would take the last one: a rule could vanish unseen.
                raise _problem(f"the key {key!r} is written twice", event)
            if is_merge:
                merged = self._merged(path, own)
            else:
                own[key] = self._value((*path, key), self._loader.get_event(), _line(event))
        return {**(merged or {}), **own}

    def _merged(self, path: KeyPath, own: Container[Any]) -> dict[Any, Any]:
        """Read what ``<<`` brings into a mapping; of several mappings the first wins."""
        event, first, here = self._loader.get_event(), len(self.notes), (*path, _MERGE)
        value = self._value(here, event, _line(event))
        items: list[tuple[KeyPath, Any]] = [(here, value)]
        if isinstance(value, list):
            items = [((*here, n), item) for n, item in enumerate(value)]
        notes = range(first, len(self.notes))
        merged: dict[Any, Any] = {}
        for place, item in reversed(items):
            if not isinstance(item, dict):
                raise _problem("only mappings can be merged", event)
            merged |= item
            moved = self._moved(notes, place, path)
            self._note([note for note in moved if note[0][len(path)] not in own], event)
        return merged

    def _key(self, event: Any) -> Any:
        key = event
        if isinstance(event, yaml.AliasEvent):
            key = self._anchor(event).value
        elif isinstance(event, yaml.ScalarEvent):
            key = self._loader.scalar(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = _Anchor(key, (), range(0))
        if isinstance(key, list | dict | yaml.Event):
            raise _problem("a key is one word or number", event)
        return key

    def _anchor(self, event: Any) -> _Anchor:
        if event.anchor not in self._anchors:
            raise _problem(f"undefined alias {event.anchor!r}", event)
        if (anchor := self._anchors[event.anchor]) is None:
            raise _problem("the value contains itself", event)
        return anchor

    def _note(self, notes: Sequence[tuple[KeyPath, int]], event: Any) -> None:
        if len(self.notes) + len(notes) > MAX_VALUES:
            raise _problem(f"there are more than {MAX_VALUES} values", event)
        if any(len(path) > MAX_DEPTH for path, _ in notes):
            raise _problem("is nested too deeply", event)
        self.notes += notes

    def _moved(self, notes: range, place: KeyPath, path: KeyPath) -> list[tuple[KeyPath, int]]:
        """Give the notes of what is below one path as if it were below another."""
        depth = len(place)
        return [
            (path + below[depth:], line)
            for below, line in self.notes[notes.start : notes.stop]
            if len(below) > depth and below[:depth] == place
        ]


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _is_merge(event: Any) -> bool:
    if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
        return False
    return event.value == _MERGE and bool(event.implicit[0])


def _problem(message: str, event: Any) -> ConstructorError:
    return ConstructorError(None, None, message, event.start_mark)


def parse_yaml(content: bytes, file: str) -> Document:
    """Read the content of a YAML file.

    Parameters
    ----------
    content
        What is in the file: one document in UTF-8.
    file
        Its name, for messages.

    Raises
    ------
    ConfigurationError
        It is not YAML, or has a key twice in one mapping; the finding tells the line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(file, "is not UTF-8", content.count(b"\n", 0, error.start) + 1) from None
    if found := Reader.NON_PRINTABLE.search(text):
        problem = f"holds the control character {found[0]!r}"
        raise _unreadable(file, problem, text.count("\n", 0, found.start()) + 1)
    builder = _Builder(_Loader(text))
    try:
        value = builder.document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _unreadable(file, error.problem or str(error), line) from None
    return Document(value, dict(builder.notes))


def _unreadable(file: str, problem: str, line: int) -> ConfigurationError:
    suggestion = next(
        (text for sign, text in _MENDED_BY.items() if sign in problem),
        "look at the indentation, brackets and quotes before it",
    )
    finding = Finding("error", "", "", problem, file, line, suggestion=suggestion)
    return ConfigurationError([finding])


_MENDED_BY = {
    "UTF-8": "save the file as UTF-8",
    "control character": "take the character out",
    "written twice": "write it once, with what both say",
    "another document": "keep one, without the line ---",
    "undefined alias": "write the anchor before the alias, or the value itself",
    "contains itself": "write the value out",
    "merged": "put a mapping after <<",
    "a key is": "put the key in quotes, or write it as one word",
    "nothing here can be": "leave the tag out and write text, numbers, lists and mappings",
    "a single value cannot be": "leave the tag out",
    "more than": "write fewer aliases",
    "nested too deeply": f"nest no deeper than {MAX_DEPTH} levels",
    "could not determine a constructor": "leave the tag out and write text, numbers and lists",
    "cannot start any token": "put the value in quotes, and blanks in the place of tabs",
    "did not find expected key": "look at the indentation, and put texts with a colon in quotes",
    "mapping values are not allowed": "put the text with the colon in quotes",
}
"""What to do about a problem with the syntax, by words in it."""


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Raises
    ------
    ConfigurationError
        It cannot be read or is not YAML; the finding tells the place in the file.
    """
    return parse_yaml(content_of(path, Reading()), str(path))


def read_yaml(path: Path) -> Any:
    """Read what a YAML file says; see `read_document`."""
    return read_document(path).value
