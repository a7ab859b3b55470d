"""Why Kubernetes does not run a pod, in words for the person who waits for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .refusal import Reason, Refusal
from .storage.errors import StorageReason
from .storage.prepare import FILLS, MAKES

_QUOTA = re.compile(r"exceeded quota: [^,]+, (?P<what>.+)")
_LIMIT = re.compile(r"(?P<what>(?:maximum|minimum) \w[\w/.-]* usage per \w+ is [^\[\]]+)")
_MAY_NOT = re.compile(r'User "[^"]*" cannot (?P<verb>\w+) resource "(?P<resource>[\w/]+)"')
_PREPARES = frozenset({MAKES, FILLS})
_TELL = "Please tell your administrator."
_BAD_IMAGE = {"ImagePullBackOff": "cannot be pulled", "InvalidImageName": "is not a valid name"}
_BAD_CONTAINER = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
# What containerd, and Docker before it, say of a container whose program could not be run.
_NEVER_STARTED = {"StartError", "ContainerCannotRun"}


def api_failure(status: int, body: str | bytes) -> Refusal:
    """Say why the API server did not do what it was asked.

    Parameters
    ----------
    status
        The HTTP status of its answer.
    body
        The answer, a ``Status`` object in JSON where it is one.
    """
    text = _status_message(body)
    if status == 403 and (found := _QUOTA.search(text)):
        message = f"There is no room for your server, the quota is used up: {found['what']}."
        return Refusal(Reason.QUOTA, message, detail=text)
    if status == 403 and (found := _LIMIT.search(text)):
        message = f"Your server is larger than this cluster allows: {found['what']}."
        return Refusal(Reason.LIMIT, message, detail=text)
    if status in (401, 403):
        found = _MAY_NOT.search(text)
        what = f"{found['verb']} {found['resource']}" if found else "do this in the cluster"
        return Refusal(Reason.CONFIG, f"The hub may not {what}. {_TELL}", detail=text)
    if 400 <= status < 500 and status not in (408, 429):
        message = f"What the hub asked Kubernetes for is not valid. {_TELL}"
        return Refusal(Reason.CONFIG, message, detail=text)
    return no_answer(f"{status}: {text}")


def no_answer(detail: str) -> Refusal:
    """Say that Kubernetes does not answer."""
    message = "The cluster does not answer. Please try again in a few minutes."
    return Refusal(Reason.CLUSTER, message, detail=detail)


def _status_message(body: str | bytes) -> str:
    text = body if isinstance(body, str) else body.decode(errors="replace")
    try:
        message = json.loads(text).get("message")
    except (ValueError, AttributeError):
        return text
    return message if isinstance(message, str) else text


def pod_failure(pod: Mapping[str, Any]) -> Refusal | None:
    """Say why a pod that is waited for will never be ready, or None if it may yet be.

    Parameters
    ----------
    pod
        The pod as the API server gives it.
    """
    if pod["metadata"].get("deletionTimestamp"):
        return deleted()
    status = pod.get("status", {})
    if status.get("phase") == "Failed" and (reason := status.get("reason")):
        text = f"{reason}: {status.get('message', '')}"
        return Refusal(Reason.EVICTED, f"Your server was evicted. {text}", detail=text)
    for container in _containers(status):
        if failure := _container_failure(container):
            return failure
    return None


def deleted() -> Refusal:
    """Say that the pod is gone."""
    return Refusal(Reason.EVICTED, "Your server was deleted before it was ready.")


def _containers(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def _container_failure(container: Mapping[str, Any]) -> Refusal | None:
    waiting = container.get("state", {}).get("waiting") or {}
    reason, text = waiting.get("reason", ""), waiting.get("message", "")
    if trouble := _BAD_IMAGE.get(reason):
        message = f"The image {container['image']} {trouble}."
        return Refusal(Reason.IMAGE, message, detail=text)
    if reason in _BAD_CONTAINER:
        message = f"The container cannot be started: {text or reason}"
        return Refusal(Reason.CONTAINER, message, detail=text)
    ended = container.get("state", {}).get("terminated") or {}
    if reason == "CrashLoopBackOff":
        ended = container.get("lastState", {}).get("terminated") or {}
    if container.get("name") in _PREPARES and ended.get("exitCode"):
        told = (ended.get("message") or "").strip() or f"exit code {ended['exitCode']}"
        message = f"Your files could not be made ready: {told.splitlines()[-1]}"
        return Refusal(StorageReason.UNPREPARED, message, detail=told)
    if reason == "CrashLoopBackOff":
        if ended.get("reason") in _NEVER_STARTED:
            message = f"The container cannot be started: {ended.get('message') or text}"
            return Refusal(Reason.CONTAINER, message, detail=text)
        message = f"Your server ended with exit code {ended.get('exitCode')} as soon as it started."
        return Refusal(Reason.CONTAINER, message, detail=ended.get("message") or text)
    return None


def not_in_time(
    pod: Mapping[str, Any] | None, events: Sequence[Mapping[str, Any]], seconds: float
) -> Refusal:
    """Say why a pod was not ready in time.

    Parameters
    ----------
    pod
        The pod as the API server gave it last, if it did.
    events
        The events about it, the oldest first.
    seconds
        For how long it was waited for.
    """
    for condition in (pod or {}).get("status", {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            text = condition.get("message", "")
            message = f"Your server does not fit on any machine now: {text}"
            return Refusal(Reason.TIMEOUT, message, detail=text)
    last = events[-1].get("message", "") if events else ""
    message = f"Your server did not start in {seconds:g} seconds. {last}".strip()
    return Refusal(Reason.TIMEOUT, message, detail=last)
