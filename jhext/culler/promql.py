"""PromQL about one server: what is known of it stands in the query as ``$pod``, never as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

NAMES = ("pod", "namespace", "user", "server")
"""What a query may name. Each stands for a string, quotes included."""

_PLACE = re.compile(
    # What is quoted, or a comment, holds no names.
    r"""(?P<text>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `[^`]*` | \#[^\n]*)"""
    r"""|(?P<operator>=~|!~)?\s*\$(?P<name>\w*)""",
    re.VERBOSE | re.DOTALL,
)


def check(query: str) -> str:
    """Check that a query names nothing else than what is known of a server.

    Raises
    ------
    ValueError
        It does, or a name stands where its value would mean something else than itself.
    """
    for place in _PLACE.finditer(query):
        if (text := place["text"]) is not None:
            if any(re.search(rf"\${name}\b", text) for name in NAMES):
                raise ValueError(f"a name stands without quotes, such as pod=$pod: {text}")
        elif place["name"] not in NAMES:
            raise ValueError(f"knows only ${', $'.join(NAMES)}, not ${place['name']}")
        elif place["operator"]:
            raise ValueError(f"${place['name']} is no pattern; compare it with = or !=")
    return query


def bind(query: str, values: Mapping[str, str]) -> str:
    """Put what is known of a server into a query, as strings that nothing can break out of.

    Parameters
    ----------
    query
        A query that `check` has passed.
    values
        What the names stand for.

    Raises
    ------
    KeyError
        Something that the query names is not known.
    """

    def bound(place: re.Match[str]) -> str:
        if place["text"] is not None:
            return place[0]
        # Prometheus reads strings as Go does, to which JSON's escapes mean the same, except that
        # characters outside of the first plane are no pairs.
        return json.dumps(values[place["name"]], ensure_ascii=False)

    return _PLACE.sub(bound, query)
