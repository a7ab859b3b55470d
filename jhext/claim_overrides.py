"""The trait by which profiles change what claims ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traitlets import Dict, TraitError

from .storage.claims import overridden
from .storage.settings import ClaimSettings


class ClaimOverrides(Dict):
    """What a profile changes about claims, by their keys."""

    info_text = "a dict of what profiles may change about claims, by the keys of storage.claims"

    def validate(self, obj: Any, value: Any) -> Any:
        """Check all that can be checked without the claims."""
        valid: dict[str, Any] = super().validate(obj, value) or {}
        for override in valid.values():
            if not isinstance(override, Mapping):
                self.error(obj, value)
            try:
                overridden(ClaimSettings(), override)
            except ValueError as error:
                raise TraitError(str(error)) from None
        return valid
