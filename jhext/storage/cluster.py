"""Claims in the cluster, and the pods that mount them."""

from __future__ import annotations

from typing import ClassVar

from jhext.objects import Objects

from . import labels
from .volumes import Object


class Claims(Objects):
    """The claims of one namespace."""

    kind: ClassVar[str] = "persistent_volume_claim"

    async def of_user(self, user: str) -> list[Object]:
        """List the claims of a person, those that KubeSpawner made among them."""
        selector = f"{labels.OWNER} in ({','.join(labels.names_in_labels(user))})"
        return await self._list(selector)

    async def all(self) -> list[Object]:
        """List all claims that belong to somebody, or were made by jhext."""
        owned = await self._list(labels.OWNER)
        shared = await self._list(f"{labels.CLAIM},!{labels.OWNER}")
        return owned + shared

    async def _list(self, selector: str) -> list[Object]:
        found = await self.ask(
            lambda: self.api.list_namespaced_persistent_volume_claim(
                self.namespace, label_selector=selector
            )
        )
        items: list[Object] = found["items"]
        return items

    async def pods(self, user: str = "") -> list[Object]:
        """List the pods of a person, or all of the namespace, that have not ended."""
        more = {}
        if user:
            more["label_selector"] = f"{labels.OWNER} in ({','.join(labels.names_in_labels(user))})"
        found = await self.ask(lambda: self.api.list_namespaced_pod(self.namespace, **more))
        return [
            pod
            for pod in found["items"]
            if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
        ]


def claims_in(pod: Object) -> set[str]:
    """Give the names of the claims that a pod mounts."""
    return {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["spec"].get("volumes") or ()
        if volume.get("persistentVolumeClaim")
    }
