"""The directive ``own-traits``: all traits that a class adds to upstream's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from traitlets.config import Configurable

import jhext


class OwnTraits(SphinxDirective):
    """Show the traits of a class of jhext, named as in ``c``."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"without": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        hidden = self.options.get("without", "").split()
        shown = [trait for trait in own_traits(name) if trait not in hidden]
        lines = [f".. autotrait:: jhext.{name}.{trait}" for trait in shown]
        return self.parse_text_to_nodes("\n".join(["```{eval-rst}", *lines, "```"]))


def own_traits(name: str) -> Iterator[str]:
    kind: type[Configurable] = getattr(jhext, name)
    for trait, found in kind.class_traits(config=True).items():
        if found.this_class.__module__.startswith("jhext."):
            yield trait


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("own-traits", OwnTraits)
    return {"parallel_read_safe": True}
