"""The line of Python in which something is configured, as far as it is written out there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_LISTS = ("profile_list", "profile_files", "profile_mapping_files", "spawner_class")
"""Traits that a finding is about where it names nothing that is written out."""


def texts(code: ast.Module) -> Iterator[tuple[str, int]]:
    """Give all texts with their lines."""
    for node in ast.walk(code):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


def line_about(code: ast.Module, where: str, path: str) -> int:
    """Find the line that a finding is about.

    Parameters
    ----------
    code
        The code.
    where
        What a finding calls a profile, a trait or the settings.
    path
        The keys below it, joined by dots.

    Returns
    -------
    int
        The line; that of what it is in, where it is computed; 1 where nothing of it is there.
    """
    trait = where.rpartition(".")[2] if where.startswith("c.") else ""
    node = _profile(code, where) or _assigned(code, path if trait and path else trait)
    for name in _LISTS:
        node = node or _assigned(code, name)
    node = node or _call(code)
    if node is None:
        return 1
    for key in path.split("."):
        node = next(_under(node, key), node)
    return node.lineno


def _profile(code: ast.Module, where: str) -> ast.expr | None:
    name = where.removeprefix("profile ")
    for node in ast.walk(code):
        if isinstance(node, ast.Dict) and any(
            repr(getattr(value, "value", None)) == name
            for key in ("slug", "display_name")
            for value in _values(node, key)
        ):
            return node
    return None


def _assigned(code: ast.Module, name: str) -> ast.expr | ast.stmt | None:
    for node in ast.walk(code):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(part, ast.Attribute) and part.attr == name for part in targets):
                return node
    return None


def _call(code: ast.Module) -> ast.expr | None:
    for node in ast.walk(code):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("configure"):
            return node
    return None


def _under(node: ast.AST, key: str) -> Iterator[ast.expr]:
    """Find what is written under a key, or at a position of a list."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Dict):
            yield from _values(inner, key)
        elif isinstance(inner, ast.List) and key.isdigit():
            yield from inner.elts[int(key) : int(key) + 1]


def _values(node: ast.Dict, key: str) -> Iterator[ast.expr]:
    for name, value in zip(node.keys, node.values, strict=True):
        if isinstance(name, ast.Constant) and name.value == key:
            yield value
