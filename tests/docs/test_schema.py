"""The published schema is the one that ``jhext schema`` prints."""

import json
from pathlib import Path

from jhext.offline.schema import schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "reference" / "jhext.schema.json"


def test_published_schema_is_up_to_date() -> None:
    """Mend it by: jhext schema > docs/reference/jhext.schema.json."""
    assert json.loads(PUBLISHED.read_text()) == schema()
