"""The directive ``model``: the keys of a pydantic model as a table, so that no page grows stale."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class ModelTable(SphinxDirective):
    """Show a model, named as in ``jhext.profiles.model:Choice``."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"without": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        hidden = named(self.options["without"]).model_fields if "without" in self.options else {}
        rows = ["| key | default | meaning |", "|---|---|---|"]
        schema = schema_of(named(self.arguments[0]))
        for key, field in schema["properties"].items():
            if key not in hidden:
                default = "required" if key in schema.get("required", []) else default_of(field)
                rows.append(f"| `{key}` | {default} | {meaning_of(field)} |")
        return self.parse_text_to_nodes("\n".join(rows))


def named(path: str) -> type[BaseModel]:
    module, name = path.split(":")
    model: type[BaseModel] = getattr(import_module(module), name)
    return model


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    if "properties" not in schema:  # a model that holds itself is among the definitions
        schema = schema["$defs"][model.__name__]
    return schema


def default_of(field: dict[str, Any]) -> str:
    value = field.get("default")
    return "" if value in (None, "", [], {}) else f"`{json.dumps(value)}`"


def meaning_of(field: dict[str, Any]) -> str:
    text: str = field.get("description", "")
    for example in field.get("examples", []):
        text += f" Example: `{json.dumps(example, ensure_ascii=False)}`"
    return text.replace("|", "\\|")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("model", ModelTable)
    return {"parallel_read_safe": True}
