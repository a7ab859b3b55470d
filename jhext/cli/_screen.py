"""A console that shows what stands in files, and does nothing that they say."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

_CONTROLS = {*range(0x20), *range(0x7F, 0xA0)} - {ord("\n")}
_DIRECTIONS = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_SHOWN = {code: ascii(chr(code))[1:-1] for code in _CONTROLS | _DIRECTIONS}
"""A name could move the cursor, or turn the order of what follows, and so hide a finding."""


class Screen(Console):
    """Shows what would control a terminal as its escape."""

    def render_str(self, text: str, **how: Any) -> Text:
        """Make a text of a string."""
        return super().render_str(text.translate(_SHOWN), **how)
