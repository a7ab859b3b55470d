"""Names that KubeSpawner's traits had before, in overrides that are older than the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .finding import Finding
from .freeze import FrozenDict
from .shorthand import OVERRIDE
from .written import Written, change_carriers

_SINGLEUSER = {
    *("working_dir", "service_account", "extra_labels", "extra_annotations", "image_pull_policy"),
    *("image_pull_secrets", "node_selector", "uid", "fs_gid", "supplemental_gids", "privileged"),
    *("allow_privilege_escalation", "lifecycle_hooks", "extra_pod_config", "init_containers"),
    *("extra_container_config", "extra_containers"),
}
_USER_STORAGE = {"class", "pvc_ensure", "capacity", "extra_labels", "access_modes"}

RETIRED: Mapping[str, str] = {
    "image_spec": "image",
    "singleuser_image_spec": "image",
    **{f"singleuser_{name}": name for name in _SINGLEUSER},
    **{f"user_storage_{name}": f"storage_{name}" for name in _USER_STORAGE},
}
"""The traits that KubeSpawner renamed in 0.9 and 0.10, and what they are called since."""


def rename(profile: Written) -> tuple[Written, list[Finding]]:
    """Call overridden traits by the names that they have now.

    Returns
    -------
    tuple
        The profile, and a warning for each name that was another.
    """
    found: list[Finding] = []

    def current(carrier: Mapping[Any, Any], path: str) -> Mapping[Any, Any]:
        overrides = carrier.get(OVERRIDE)
        if not isinstance(overrides, Mapping) or RETIRED.keys().isdisjoint(overrides):
            return carrier
        names = [RETIRED.get(name, name) for name in overrides]
        for name, now in zip(overrides, names, strict=True):
            if name != now:
                found.append(_finding(profile, f"{path}{OVERRIDE}.{name}", now, names.count(now)))
        renamed = FrozenDict(zip(names, overrides.values(), strict=True))
        return FrozenDict({**carrier, OVERRIDE: renamed})

    return replace(profile, value=change_carriers(profile.value, current)), found


def _finding(profile: Written, path: str, now: str, times: int) -> Finding:
    if times > 1:
        return profile.error(path, f"is called {now} now, which is there too", "take this one out")
    return replace(profile.error(path, f"is called {now} now", f"write {now}"), level="warning")
