"""A directory, asked about people."""

from __future__ import annotations

from .access import Access
from .entry import DirectoryGroup, Entry
from .layout import Layout


class Directory:
    """Answers who somebody is, whether a password is theirs, and which groups they are in.

    Nothing of it blocks the event loop. It may be used by many tasks of one loop at a time.

    Parameters
    ----------
    access
        How it is reached.
    layout
        Where people and groups are in it.
    """

    def __init__(self, access: Access, layout: Layout) -> None:
        self._access = access
        self._layout = layout
        self.operations = 0

    async def find(self, login: str) -> Entry | None:
        """Find the person with a login name, or None.

        Raises
        ------
        IdentityRefused
            When it could be several people, or the entry has no name that could be theirs alone.
        IdentityUnavailable
            When the directory does not answer.
        """
        raise NotImplementedError

    async def authenticate(self, name: str, password: str) -> None:
        """Check a password, on a connection on which nothing else is asked.

        Parameters
        ----------
        name
            The DN of the person, or another name that the directory binds.
        password
            What was typed. One that is blank, too long or has a NUL in it is never sent.

        Raises
        ------
        LoginRefused
            When it is not theirs, or the account may not log in.
        IdentityUnavailable
            When the directory does not answer.
        """
        raise NotImplementedError

    async def groups_of(self, entry: Entry) -> tuple[DirectoryGroup, ...]:
        """List the groups of a person, sorted by name; nested and primary ones are among them.

        Raises
        ------
        IdentityUnavailable
            When the directory does not answer, or not with all of them.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Close the connections. It may be asked again afterwards."""
        raise NotImplementedError
