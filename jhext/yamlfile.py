"""YAML files, read safely and without dropping anything, with the line of everything in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import Resolver
from yaml.scanner import Scanner

from .profiles.finding import ConfigurationError, Finding

try:
    from yaml._yaml import CParser
except ImportError:  # PyYAML built without libyaml

    class CParser(Reader, Scanner, Parser):  # type: ignore[no-redef]
        """PyYAML's own parser, which is slower."""

        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)


MAX_NODES = 1_000_000
"""How much a file may hold; a few lines of aliases of aliases stand for more than any memory."""

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


_MERGE = "tag:yaml.org,2002:merge"


class _Loader(Composer, CParser, SafeConstructor, Resolver):
    """PyYAML's safe loader on libyaml's parser.

    libyaml's own composer is not used: it would not let go of the interpreter, and with it the
    event loop, until it is through with the whole file.
    """

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)


class _Builder:
    """Makes a `Document` of nodes."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._above: set[int] = set()
        self._unique: set[int] = set()
        self._count = 0
        self.lines: dict[KeyPath, int] = {}

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        self._count += 1
        if self._count > MAX_NODES:
            raise _problem(f"there are more than {MAX_NODES} values", node)
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._above:
            raise _problem("the value contains itself", node)
        self._above.add(id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == Resolver.DEFAULT_MAPPING_TAG:
            value: Any = self._mapping(node, path)
        elif isinstance(node, yaml.SequenceNode) and node.tag == Resolver.DEFAULT_SEQUENCE_TAG:
            value = [self.build(item, (*path, n)) for n, item in enumerate(node.value)]
        else:
            value = self._loader.construct_object(node, deep=True)
        self._above.remove(id(node))
        return value

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[Any, Any]:
        self._refuse_keys_written_twice(node)
        self._loader.flatten_mapping(node)  # puts what `<<` brings before what is written here
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            self.lines[*path, key] = key_node.start_mark.line + 1
            result[key] = self.build(value_node, (*path, key))
        return result

    def _refuse_keys_written_twice(self, node: yaml.MappingNode) -> None:
        """YAML would take the last one: a rule could vanish unseen."""
        if id(node) in self._unique:
            return
        self._unique.add(id(node))
        seen = set()
        for key_node, _ in node.value:
            key = self._key(key_node)
            if key in seen:
                raise _problem(f"the key {key!r} is written twice", key_node)
            seen.add(key)

    def _key(self, node: yaml.Node) -> Any:
        if node.tag == _MERGE:
            return node.value
        key = self._loader.construct_object(node, deep=True)
        if isinstance(key, list | dict | set):
            raise _problem("a key is one word or number", node)
        return key


def _problem(message: str, node: yaml.Node) -> ConstructorError:
    return ConstructorError(None, None, message, node.start_mark)


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
        loader = _Loader(content.decode("utf-8-sig"))
        builder = _Builder(loader)
        node = loader.get_single_node()
        value = None if node is None else builder.build(node, ())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _unreadable(file, error.problem or str(error), line) from None
    except RecursionError:
        raise _unreadable(file, "is nested too deeply", 0) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _unreadable(file, str(error), 0) from None
    return Document(value, builder.lines)


def _unreadable(file: str, problem: str, line: int) -> ConfigurationError:
    return ConfigurationError([Finding("error", "", "", problem, file=file, line=line)])


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Raises
    ------
    ConfigurationError
        It cannot be read or is not YAML; the finding tells the place in the file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(str(path), error.strerror or type(error).__name__, 0) from None
    return parse_yaml(content, str(path))


def read_yaml(path: Path) -> Any:
    """Read what a YAML file says; see `read_document`."""
    return read_document(path).value
