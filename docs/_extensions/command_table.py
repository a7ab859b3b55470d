"""The directive ``commands``: every command with all its options, as ``--help`` tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from jhext.cli import application


class Commands(SphinxDirective):
    """Show the options of ``jhext`` and all its commands as tables."""

    def run(self) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for words, command in commands(("jhext",), typer.main.get_command(application())):
            rows = [f"**`{' '.join(words)}`**", "", "| | default | |", "|---|---|---|"]
            found += self.parse_text_to_nodes("\n".join([*rows, *map(row, command.params)]))
        return found


def commands(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", {})
    for name, child in children.items():
        yield from commands((*words, name), child)
    if not children:
        yield words, command


def row(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        names = f"`{parameter.name.upper()}`"
    default = parameter.default
    shown = "" if default in (None, (), False, "") or callable(default) else f"`{default}`"
    return f"| {names} | {shown} | {(parameter.help or '').replace('|', chr(92) + '|')} |"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
