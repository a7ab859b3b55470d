"""Groups in the shapes in which providers give them."""

from __future__ import annotations

from typing import Any

from jupyterhub.auth import Authenticator
from tornado import web
from traitlets import Bool

from jhext.identity.pointers import listed


class ClaimedGroups(Authenticator):  # type: ignore[misc]
    """What an authenticator has whose groups are a claim."""

    allow_missing_groups = Bool(
        config=True,
        help="""
        Whether people get in of whom the provider says nothing about groups.

        By default they are refused, at login and at each refresh: nobody knows which rules allow or
        block them. Where a provider leaves the claim out for who is in no group, as CILogon does,
        with True they are in none. A claim that is no list of names is refused in any case.
        """,
    )

    def groups_in_claim(self, claim: Any, where: str) -> set[str]:
        """Read the groups of a person.

        Parameters
        ----------
        claim
            What the provider says; None where it says nothing.
        where
            The setting that says where that is.

        Raises
        ------
        HTTPError
            403, with words for the person; the log says what to do.
        """
        if claim is None and self.allow_missing_groups:
            return set()
        try:
            return set(groups_of(claim))
        except ValueError as error:
            if claim is None:
                self.log.error("There is nothing at %s; see allow_missing_groups", where)
            else:
                self.log.error("What is at %s %s", where, error)
        raise web.HTTPError(403, "Your identity provider does not say which groups you are in.")


def groups_of(value: Any) -> list[str]:
    """Read the groups that a provider gives: a list of names, one name, or such a list as JSON.

    Raises
    ------
    ValueError
        It is something else.
    """
    value = listed(value)
    names = list(value) if isinstance(value, list | tuple | set | frozenset) else [None]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"is no list of names but {type(value).__name__}")
    return [name for name in names if name]
