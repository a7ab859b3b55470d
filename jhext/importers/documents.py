"""The YAML documents that importers read, and the one that they write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .imported import listed, mapping, unreadable


def read_documents(path: Path) -> list[Mapping[str, Any]]:
    """Read all documents of a file, without the empty ones.

    What ``kubectl get -o yaml`` gives for several objects counts as these objects.

    Raises
    ------
    ConfigurationError
        It cannot be read, or holds something other than mappings.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            documents = list(yaml.safe_load_all(stream))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise unreadable(str(path), str(error)) from None
    found = [mapping(document, str(path)) for document in documents if document is not None]
    return [item for document in found for item in _objects(document, str(path))]


def read_list(path: Path) -> list[Any]:
    """Read a file that holds one list.

    Raises
    ------
    ConfigurationError
        It cannot be read, or holds something else.
    """
    try:
        return listed(yaml.safe_load(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise unreadable(str(path), str(error)) from None


def _objects(document: Mapping[str, Any], where: str) -> list[Mapping[str, Any]]:
    if not str(document.get("kind", "")).endswith("List"):
        return [document]
    return [mapping(item, where) for item in listed(document.get("items"), f"{where}: items")]


def one(documents: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Give the only document.

    Raises
    ------
    ConfigurationError
        There is another number of them.
    """
    if len(documents) != 1:
        raise unreadable("values", f"one document is expected, not {len(documents)}")
    return documents[0]


def merged(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge values as helm does: mappings key by key, all else by the last; null takes out."""
    result: dict[str, Any] = {}
    for item in values:
        for key, value in item.items():
            if value is None:
                result.pop(key, None)
            elif isinstance(value, Mapping):
                before = result.get(key)
                result[key] = merged([before if isinstance(before, Mapping) else {}, value])
            else:
                result[key] = value
    return result


class _Dumper(yaml.SafeDumper):
    """Writes what stands in two places twice, as people would."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump(settings: Mapping[str, Any]) -> str:
    """Write settings as YAML, in the order they have."""
    return yaml.dump(settings, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
