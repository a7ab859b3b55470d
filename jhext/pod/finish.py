"""The last word on a manifest: what identity makes of it, and whether it may be sent."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from jhext.delegation.mount import mount as mount_token
from jhext.identity import names
from jhext.identity.errors import BadValueError
from jhext.identity.model import Identity
from jhext.refusal import Refusal

from .environment import anonymous_variables, set_variables, variables
from .manifest import Manifest
from .nss import annotations_of, mount
from .security import ids_of, secure
from .settings import DOCKER_STACKS_VARIABLES, PodSettings
from .verify import Configured, Expected, Violation, verify


class PodReason(StrEnum):
    """Why a pod is not sent."""

    REFUSED = "pod_refused"
    """The manifest would make the server run as somebody else, or with more than it may."""


class PodRefused(Refusal):
    """A pod may not be sent.

    Parameters
    ----------
    violations
        What is wrong with it.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        message = (
            "Your server would not run as you, so it was not started. "
            "Please tell the administrators of this hub."
        )
        super().__init__(PodReason.REFUSED, message, detail="\n".join(map(str, violations)))

    def __str__(self) -> str:
        return self.detail


def expected_of(identity: Identity, home: str, settings: PodSettings) -> Expected:
    """Say what the pod of a person with an identity must be like.

    Parameters
    ----------
    identity
        The person.
    home
        The home directory in the container.
    settings
        The section ``pod``.

    Raises
    ------
    PodRefused
        When the home cannot stand in ``/etc/passwd``.
    """
    _check_home(home)
    return Expected(
        ids=ids_of(identity, settings),
        annotations=annotations_of(identity, home, settings),
        variables=variables(identity, home) | _family_variables(settings),
    )


def _family_variables(settings: PodSettings) -> dict[str, str]:
    return DOCKER_STACKS_VARIABLES if settings.image_family == "docker-stacks" else {}


def expected_on_platform(username: str, home: str, settings: PodSettings) -> Expected:
    """Say what the pod of a person must be like whose ids the platform assigns.

    There are no NSS files: the uid is known only when the pod has been admitted.

    Raises
    ------
    PodRefused
        When the home is no path.
    """
    _check_home(home)
    named = anonymous_variables(username, home) | _family_variables(settings)
    return Expected(ids=None, annotations={}, variables=named)


def _check_home(home: str) -> None:
    """Hold the home to what a directory's homes are held to: options may be part of it."""
    try:
        names.path(home)
    except BadValueError as error:
        raise PodRefused([Violation("the home in the container", str(error))]) from None


def finish(
    manifest: Manifest,
    expected: Expected,
    settings: PodSettings,
    configured: Configured,
) -> None:
    """Make a manifest what it must be, and refuse it where that is not possible.

    Doing it again changes nothing.

    Parameters
    ----------
    manifest
        The pod, after every hook; it is changed.
    expected
        What it must be like.
    settings
        The section ``pod``.
    configured
        See `jhext.pod.verify.verify`.

    Raises
    ------
    PodRefused
        When something in it must not be sent.
    """
    try:
        secure(manifest, expected.ids, settings)
        if expected.annotations:
            mount(manifest, dict(expected.annotations), settings.privileged_containers)
        if expected.token:
            mount_token(manifest, expected.token)
        set_variables(manifest, expected.variables, expected.token.git if expected.token else ())
        violations = verify(manifest, expected, settings, configured)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # Hooks may give anything, and a crash here would count against the hub.
        violations = [Violation("manifest", f"is not formed like a pod: {error!r}")]
    if violations:
        raise PodRefused(violations)
