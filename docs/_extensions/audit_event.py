"""The directive ``audit-event``: the fields of the event of a decision, from its schema."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from jhext.audit import SCHEMA


class AuditEvent(SphinxDirective):
    """Show the fields as a table."""

    def run(self) -> list[nodes.Node]:
        rows = ["| field | always | |", "|---|---|---|"]
        for name, field in SCHEMA["properties"].items():
            values = " or ".join(f"`{value}`" for value in field.get("enum", ()))
            text = ": ".join(filter(None, [field.get("description", ""), values]))
            rows.append(f"| `{name}` | {'yes' if name in SCHEMA['required'] else ''} | {text} |")
        return self.parse_text_to_nodes("\n".join(rows))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("audit-event", AuditEvent)
    return {"parallel_read_safe": True}
