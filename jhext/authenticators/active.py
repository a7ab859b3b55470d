"""Whether a provider says that an account is active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_active(claims: Mapping[str, Any]) -> bool:
    """Tell whether the claim ``active`` lets somebody in; one that is not there does.

    Mappers of providers write booleans as text, too. What is neither of them true lets nobody in.
    """
    active = claims.get("active", True)
    return active is True or (isinstance(active, str) and active.lower() == "true")
