"""What a refusal tells the user, the log and the metrics: three different texts."""

from __future__ import annotations

from contextlib import suppress
from html import escape

from tornado import web

from .refusal import Reason, Refusal
from .upstream import SpawnException

NOT_CONFIGURED = (
    "Servers cannot be started at the moment because of a mistake in the hub's configuration. "
    "Please tell your administrator."
)
"""What people are told when the operator has to mend something."""


class SpawnRefused(SpawnException):  # type: ignore[misc]
    """A server is not started, and the hub is well.

    JupyterHub 6 counts it as a failure with a reason, not as an error, so that it never adds up
    to ``consecutive_failure_limit``.

    Parameters
    ----------
    refusal
        Why.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(
            refusal.message,
            reason=str(refusal.reason),
            message_html=escape(refusal.message),
            status_code=refusal.status_code,
        )
        # The form and the progress page show str(error), log text included, without these.
        self.jupyterhub_message = refusal.message
        self.jupyterhub_html_message = escape(refusal.message)
        self.refusal = refusal


_REFUSALS = (403, 409, 429)
"""What JupyterHub means as a refusal; any other status of the operator's code becomes a 403."""


def from_http_error(error: web.HTTPError) -> Refusal:
    """Take over a refusal that code of the operator raised, with its own words."""
    # What SpawnException has for the log besides its message is not for users.
    message = getattr(error, "jupyterhub_message", "") or getattr(error, "message", "")
    if not message and error.log_message:
        with suppress(TypeError, ValueError):
            message = error.log_message % error.args
    refusal = Refusal(Reason.NONE_PERMITTED, message or "You may not start a server.")
    if error.status_code in _REFUSALS:
        refusal.status_code = error.status_code
    return refusal


def faulty_configuration(detail: str) -> Refusal:
    """Refuse because nothing can be decided; the detail is for the log alone."""
    return Refusal(Reason.CONFIG, NOT_CONFIGURED, detail=detail)
