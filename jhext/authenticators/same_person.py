"""One name, one person: a name that has gone to somebody else logs nobody in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub.auth import Authenticator
from tornado import web
from traitlets import Unicode, validate

from jhext.identity.pointers import claim_path, find

SUBJECT = "jhext_subject"
"""The key of ``auth_state`` under which the provider's id of the person is kept."""


class SamePerson(Authenticator):  # type: ignore[misc]
    """What an authenticator has whose people have an id that stays when their name changes."""

    subject_claim = Unicode(
        "sub",
        config=True,
        help="""
        The claim with the provider's id of the person, which stays when the name changes.

        A name of a claim, or a path to it: with dots, or a JSON pointer (RFC 6901). A name that
        has gone to another person is refused: the hub's user of that name, and the files, are the
        former one's. Needs `enable_auth_state`. Empty: not checked.
        """,
    )

    @validate("subject_claim")
    def _a_path(self, proposal: Any) -> Any:
        claim_path(proposal["value"])
        return proposal["value"]

    def subject_of(self, claims: Mapping[str, Any]) -> dict[str, str]:
        """Give what is kept of a person's id: nothing, where there is none."""
        subject = find(claims, claim_path(self.subject_claim)) if self.subject_claim else None
        return {} if subject is None else {SUBJECT: str(subject)}

    async def refuse_another_person(self, handler: Any, model: Mapping[str, Any]) -> None:
        """Refuse who has the name of another person, whom the hub knows.

        Raises
        ------
        HTTPError
            403, with words for the person; the log says how the former one is let go.
        """
        user = handler.find_user(model["name"])
        state: Any = await user.get_auth_state() if user else None
        if self.subject_claim and is_another_person(model["auth_state"], state):
            self.log.error(
                "%s is refused: the hub's user of that name is %s at the provider, not %s. "
                "If it is the same person, or the files are to be the new one's, delete the user "
                "from the hub",
                *(model["name"], state[SUBJECT], model["auth_state"].get(SUBJECT)),
            )
            raise web.HTTPError(403, "Your name belongs to somebody else on this hub.")


def is_another_person(state: Mapping[str, Any], known: Any) -> bool:
    """Tell whether a state is not of the person of whom another one is known."""
    before = known.get(SUBJECT) if isinstance(known, Mapping) else None
    return before is not None and before != state.get(SUBJECT)
