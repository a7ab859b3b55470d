"""The fields of the spawn form, which are those of a link too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_OF_JUPYTERHUB = frozenset({"_xsrf", "next", "display_name"})
_OF_OPTIONS = "profile-option-"


def unread_fields(fields: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """Give the fields that KubeSpawner would drop, as options of the same name.

    Fields of the options of profiles that were not chosen are none of them: a form without
    JavaScript sends those too. Of an uploaded file only the name of the field counts.
    """
    slug = next(iter(fields.get("profile", ())), "")
    known = {"profile", *_OF_JUPYTERHUB}
    return {
        name: values[0] if isinstance(values[0], str) else ""
        for name, values in fields.items()
        if name not in known and not (slug and name.startswith(_OF_OPTIONS))
    }
