"""The volumes behind claims: bound when a claim is made, deleted with it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from .defaults import CLAIM_PROTECTION
from .registry import Registry
from .resources import CLAIMS, PODS, Object
from .store import Change
from .volumes import claim_directory


class ClaimController:
    """Binds claims, and protects those that a pod uses from being deleted.

    A claim of a name that had a directory before the cluster was started finds its files again.
    """

    def __init__(self, registry: Registry, state: Path) -> None:
        self._registry = registry
        self._state = state

    async def react(self, change: Change) -> None:
        """Bind a claim that is new, and let go of what no pod holds any more."""
        if change.resource is CLAIMS:
            await self._follow_claim(change)
        elif change.resource is PODS and change.type != "ADDED":
            namespace = change.object["metadata"]["namespace"]
            for claim in self._registry.store.items(CLAIMS, namespace):
                self._release(claim)

    async def _follow_claim(self, change: Change) -> None:
        metadata = change.object["metadata"]
        store = self._registry.store
        claim = store.find(CLAIMS, metadata["namespace"], metadata["name"])
        if change.type == "DELETED":
            if claim is None:
                directory = claim_directory(self._state, metadata["namespace"], metadata["name"])
                await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
        elif claim:
            if claim["status"].get("phase") == "Pending":
                claim = self._bind(claim)
            self._release(claim)

    def _bind(self, claim: Object) -> Object:
        spec = {"volumeName": f"pvc-{claim['metadata']['uid']}", **claim["spec"]}
        status = {
            "phase": "Bound",
            "accessModes": spec.get("accessModes") or [],
            "capacity": (spec.get("resources") or {}).get("requests") or {},
        }
        return self._registry.store.put(CLAIMS, {**claim, "spec": spec, "status": status})

    def _release(self, claim: Object) -> None:
        """Let go of a claim that is being deleted when no pod uses it any more."""
        metadata = claim["metadata"]
        finalizers = metadata.get("finalizers") or []
        if "deletionTimestamp" not in metadata or CLAIM_PROTECTION not in finalizers:
            return
        pods = self._registry.store.items(PODS, metadata["namespace"])
        if any(_uses(pod, metadata["name"]) for pod in pods):
            return
        remaining = [finalizer for finalizer in finalizers if finalizer != CLAIM_PROTECTION]
        self._registry.replace(
            CLAIMS,
            metadata["namespace"],
            metadata["name"],
            {**claim, "metadata": {**metadata, "finalizers": remaining}},
        )


def _uses(pod: Object, claim: str) -> bool:
    return pod["status"].get("phase") not in ("Succeeded", "Failed") and any(
        (volume.get("persistentVolumeClaim") or {}).get("claimName") == claim
        for volume in pod["spec"].get("volumes") or ()
    )
