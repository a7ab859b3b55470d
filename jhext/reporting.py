"""What goes wrong between the hub and Kubernetes is said, and the hub stays well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp
from kubernetes_asyncio.client.exceptions import ApiException

from .errors import SpawnRefused
from .failure import api_failure, deleted, no_answer, not_in_time, pod_failure
from .refusal import Refusal
from .traits import ConfiguredKubeSpawner
from .upstream import forget_failure, set_status


class ReportingKubeSpawner(ConfiguredKubeSpawner):
    """A KubeSpawner whose failures are readable; a start ends as soon as it is hopeless."""

    _pod_seen = False

    async def starting(self, start: Awaitable[Any]) -> Any:
        """Turn what goes wrong with the pod into something that can be read.

        Raises
        ------
        SpawnRefused
            The cluster did not do what was asked, or the pod was not ready in time. It tells the
            person why, and never adds up to ``consecutive_failure_limit``.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._pod_seen = False
        try:
            return await start
        except ApiException as error:
            refusal = _refused_by_api(error)
        except (TimeoutError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and (
                loop.time() - began < self.start_timeout - 1
            ):
                raise  # somebody stops the server
            refusal = self._why_not_in_time(error)
        except (aiohttp.ClientError, OSError) as error:
            refusal = no_answer(f"{type(error).__name__}: {error}")
        except Refusal as error:
            refusal = error
        self.log.error("No server for %s: %s %s", self._log_name, refusal.message, refusal.detail)
        forget_failure(self)
        set_status(self, refusal.status_code)
        raise SpawnRefused(refusal) from None

    def _why_not_in_time(self, error: BaseException) -> Refusal:
        if not self.pod_created:
            return no_answer(str(error))
        return not_in_time(self._reflected_pod(), self.events, self.start_timeout)

    def _reflected_pod(self) -> Mapping[str, Any] | None:
        pod: Mapping[str, Any] | None = self.pod_reflector.pods.get(
            f"{self.namespace}/{self.pod_name}"
        )
        return pod

    def is_pod_running(self, pod: Mapping[str, Any] | None) -> bool:
        """Say whether the pod is ready, and while it is waited for, whether it ever will be.

        Raises
        ------
        Refusal
            It is waited for, and will never be ready.
        """
        if self.pending == "spawn" and self.pod_created:
            if pod is None and self._pod_seen:
                raise deleted()
            if pod is not None:
                self._pod_seen = True
                if failure := pod_failure(pod):
                    raise failure
        return bool(super().is_pod_running(pod))

    async def stop(self, now: bool = False) -> None:
        """Stop the server, and log why where that fails: JupyterHub says nothing then."""
        await self._logged(super().stop(now), "stopped")

    async def delete_forever(self) -> None:
        """Delete what the server leaves behind, and log why where that fails."""
        await self._logged(super().delete_forever(), "deleted")

    async def _logged(self, work: Awaitable[None], done: str) -> None:
        try:
            await work
        except ApiException as error:
            refusal = _refused_by_api(error)
            self.log.error("%s is not %s: %s", self._log_name, done, refusal.detail)
            raise
        except Exception as error:
            self.log.error(
                "%s is not %s: %s: %s", self._log_name, done, type(error).__name__, error
            )
            raise


def _refused_by_api(error: ApiException) -> Refusal:
    refusal = api_failure(error.status or 0, error.body or error.reason or "")
    # KubeSpawner raises the refused creation of a claim, in whose context the refused read is.
    if isinstance(first := error.__context__, ApiException):
        before = api_failure(first.status or 0, first.body or first.reason or "")
        refusal.detail += f" (and {before.detail})"
    return refusal
