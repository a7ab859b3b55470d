"""Who is active by the word of a provider."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.authenticators.active import is_active


@pytest.mark.parametrize(
    ("claims", "active"),
    [
        ({}, True),
        ({"active": True}, True),
        ({"active": "true"}, True),
        ({"active": "True"}, True),
        ({"active": False}, False),
        ({"active": "false"}, False),
        ({"active": "no"}, False),
        ({"active": ""}, False),
        ({"active": None}, False),
        ({"active": 0}, False),
        ({"active": 1}, False),
        ({"active": ["true"]}, False),
    ],
)
def test_only_what_is_true_lets_somebody_in(claims: dict[str, Any], active: bool) -> None:
    assert is_active(claims) is active
