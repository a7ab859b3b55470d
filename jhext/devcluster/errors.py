"""What the API answers when it refuses: a ``Status`` with Kubernetes' code and reason."""

from __future__ import annotations

from typing import Any

from .resources import Object, Resource


class ApiError(Exception):
    """A request that is answered with a failure ``Status``.

    Parameters
    ----------
    code
        The HTTP status.
    reason
        Kubernetes' word for it, such as ``NotFound``: what clients decide by.
    """

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Object:
        """Return the answer's body."""
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details:
            status["details"] = self.details
        return {**status, "code": self.code}


def bad_request(message: str) -> ApiError:
    """Return a 400: the request cannot be understood."""
    return ApiError(400, "BadRequest", message)


def unknown_path() -> ApiError:
    """Return the 404 for a URL that names nothing the API serves."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def not_found(resource: Resource, name: str) -> ApiError:
    """Return the 404 for an object that does not exist."""
    return ApiError(
        404,
        "NotFound",
        f'{resource.qualified_name} "{name}" not found',
        name=name,
        **_group(resource),
        kind=resource.plural,
    )


def already_exists(resource: Resource, name: str) -> ApiError:
    """Return the 409 for creating an object a second time."""
    return ApiError(
        409,
        "AlreadyExists",
        f'{resource.qualified_name} "{name}" already exists',
        name=name,
        **_group(resource),
        kind=resource.plural,
    )


def conflict(resource: Resource, name: str, cause: str) -> ApiError:
    """Return the 409 for a write that assumes another state than the stored one."""
    return ApiError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {resource.qualified_name} "{name}": {cause}',
        name=name,
        **_group(resource),
        kind=resource.plural,
    )


def invalid(resource: Resource, name: str, field: str, problem: str) -> ApiError:
    """Return the 422 for a value that the kind does not allow.

    Parameters
    ----------
    problem
        Kubernetes' text, such as ``Required value`` or ``Invalid value: "x": must be …``.
    """
    reasons = {"Required value": "FieldValueRequired", "Forbidden": "FieldValueForbidden"}
    cause = {
        "reason": reasons.get(problem.partition(":")[0], "FieldValueInvalid"),
        "message": problem,
        "field": field,
    }
    return ApiError(
        422,
        "Invalid",
        f'{resource.kind} "{name}" is invalid: {field}: {problem}',
        name=name,
        **_group(resource),
        kind=resource.kind,
        causes=[cause],
    )


def _group(resource: Resource) -> dict[str, str]:
    return {"group": resource.group} if resource.group else {}
