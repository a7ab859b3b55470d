"""Asking a real API server whether it would take a manifest, without keeping it."""

from collections.abc import Callable
from functools import cache
from typing import Any

import httpx

from jhext.units import parse_quantity

Manifest = dict[str, Any]


class RefusedManifestError(AssertionError):
    """The API server refuses the manifest; the message is its own."""


def dry_runner(client: httpx.Client) -> Callable[[Manifest], Manifest]:
    """Return a function that sends a manifest as a server-side dry run.

    It returns the object as the server would store it, in the manifest's namespace or `default`,
    and raises `RefusedManifestError` when the server refuses.
    """

    @cache
    def resources(root: str) -> dict[str, tuple[str, bool]]:
        listed = client.get(root).raise_for_status().json()["resources"]
        return {r["kind"]: (r["name"], r["namespaced"]) for r in listed if "/" not in r["name"]}

    def dry_run(manifest: Manifest) -> Manifest:
        version = manifest["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        plural, namespaced = resources(root)[manifest["kind"]]
        namespace = manifest["metadata"].get("namespace", "default")
        path = f"{root}/namespaces/{namespace}/{plural}" if namespaced else f"{root}/{plural}"
        response = client.post(path, params={"dryRun": "All"}, json=manifest)
        stored: Manifest = response.json()
        if response.is_error:
            raise RefusedManifestError(stored["message"])
        return stored

    return dry_run


def not_stored(sent: Any, stored: Any, key: str = "") -> set[str]:
    """List the keys that were not stored as they were sent; the server adds its defaults."""
    if isinstance(sent, dict) and isinstance(stored, dict):
        return set().union(
            *(not_stored(value, stored.get(name), name) for name, value in sent.items())
        )
    if isinstance(sent, list) and isinstance(stored, list) and len(sent) <= len(stored):
        return set().union(*(not_stored(*pair, key) for pair in zip(sent, stored, strict=False)))
    return set() if _is_same(sent, stored) else {key}


def _is_same(sent: Any, stored: Any) -> bool:
    if sent == stored or (not sent and stored is None):
        return True
    try:
        return parse_quantity(sent) == parse_quantity(stored)  # it writes 2Gi for 2147483648
    except (TypeError, ValueError):
        return False
