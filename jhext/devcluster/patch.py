"""The patch formats of Kubernetes: JSON patch, JSON merge patch, strategic merge patch."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import jsonpointer

from .errors import ApiError
from .resources import Object

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

# Lists that a strategic merge patch merges by a key of their items; every other list is replaced.
# From the patchMergeKey tags of k8s.io/api/core/v1 for the kinds that are served.
_MERGE_KEYS = {
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "secrets": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
# "ports" are merged by another key in a container than in a service.
_PORT_KEYS = ("containerPort", "port")


def apply_patch(obj: Object, patch: Any, content_type: str) -> Object:
    """Return ``obj`` changed by ``patch``; neither argument is changed.

    Raises
    ------
    ApiError
        415 for a format that is not known, 422 for a patch that does not fit the object.
    """
    if content_type == JSON_PATCH:
        return _json_patch(obj, patch)
    if content_type == MERGE_PATCH:
        merged = merge_patch(obj, patch)
    elif content_type in (STRATEGIC_PATCH, APPLY_PATCH):
        merged = strategic_merge_patch(obj, patch)
    else:
        known = ", ".join((JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH))
        raise ApiError(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - "
            f"accepted media types include: {known}",
        )
    if not isinstance(merged, dict):
        raise _unfit("the patch is no object")
    return merged


def _unfit(problem: object) -> ApiError:
    return ApiError(
        422, "Invalid", f"the server rejected our request due to an error in our request: {problem}"
    )


def _json_patch(obj: Object, patch: Any) -> Object:
    try:
        patched: Object = jsonpatch.JsonPatch(patch).apply(obj)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError) as error:
        raise _unfit(error) from error
    return patched


def merge_patch(target: Any, patch: Any) -> Any:
    """Return ``target`` after an RFC 7386 merge patch."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def strategic_merge_patch(target: Any, patch: Any, field: str = "") -> Any:
    """Return ``target`` after a strategic merge patch.

    Of its directives, ``$patch: delete`` and ``$patch: replace`` are known; ``$setElementOrder``
    is ignored, since no list of the served kinds means something by its order.
    """
    if isinstance(patch, dict):
        if patch.get("$patch") == "replace":
            return {key: value for key, value in patch.items() if key != "$patch"}
        merged = dict(target) if isinstance(target, dict) else {}
        for key, value in patch.items():
            if key.startswith("$"):
                continue
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = strategic_merge_patch(merged.get(key), value, key)
        return merged
    if isinstance(patch, list):
        return _merge_list(target if isinstance(target, list) else [], patch, field)
    return patch


def _merge_list(target: list[Any], patch: list[Any], field: str) -> list[Any]:
    if field == "finalizers":
        return [*target, *(item for item in patch if item not in target)]
    directives = [item.get("$patch") if isinstance(item, dict) else None for item in patch]
    key = _merge_key(field, patch)
    if key is None or "replace" in directives:
        return [
            copy.deepcopy(item)
            for item, directive in zip(patch, directives, strict=True)
            if directive is None
        ]
    merged = list(target)
    for item, directive in zip(patch, directives, strict=True):
        if not isinstance(item, dict) or key not in item:
            raise _unfit(f"map: {item} does not contain declared merge key: {key}")
        places = [
            i for i, old in enumerate(merged) if isinstance(old, dict) and old.get(key) == item[key]
        ]
        if directive == "delete":
            merged = [old for i, old in enumerate(merged) if i not in places]
        elif places:
            merged[places[0]] = strategic_merge_patch(merged[places[0]], item)
        else:
            merged.append(strategic_merge_patch(None, item))
    return merged


def _merge_key(field: str, patch: list[Any]) -> str | None:
    if field == "ports":
        named = {key for item in patch if isinstance(item, dict) for key in item}
        return next((key for key in _PORT_KEYS if key in named), None)
    return _MERGE_KEYS.get(field)
