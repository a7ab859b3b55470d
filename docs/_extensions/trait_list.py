"""The directive ``own-traits``: all traits that a class adds to upstream's."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles
from traitlets.config import Configurable

import jhext


class OwnTraits(SphinxDirective):
    """Show the traits of a class of jhext, named as in ``c``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        lines = [f".. autotrait:: jhext.{name}.{trait}" for trait in own_traits(name)]
        made = nodes.Element()
        nested_parse_with_titles(self.state, StringList(lines, source=name), made)
        return made.children


def own_traits(name: str) -> Iterator[str]:
    kind: type[Configurable] = getattr(jhext, name)
    for trait, found in kind.class_traits(config=True).items():
        if found.this_class.__module__.startswith("jhext."):
            yield trait


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("own-traits", OwnTraits)
    return {"parallel_read_safe": True}
