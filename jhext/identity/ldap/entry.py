"""What a directory says of one person or one group."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from jhext.identity.errors import IdentityRefused, Reason
from jhext.identity.ids import shown


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a directory.

    Parameters
    ----------
    dn
        Its name in the tree.
    attributes
        The values of its attributes as they came, under the names of the attributes in lower case.
        Not to be changed.
    name
        What it is called: a person's canonical user name.
    """

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]
    name: str = ""

    def raw(self, attribute: str) -> tuple[bytes, ...]:
        """Give all values of an attribute as bytes."""
        return self.attributes.get(attribute.lower(), ())

    def texts(self, attribute: str) -> tuple[str, ...]:
        """Give the values of an attribute that are text."""
        return tuple(text for value in self.raw(attribute) if (text := _text(value)) is not None)

    def text(self, attribute: str) -> str | None:
        """Give the only value of an attribute, or None where it has none.

        Raises
        ------
        IdentityRefused
            When there are several, of which nobody could say which one counts.
        """
        values = self.texts(attribute)
        if len(values) > 1:
            raise IdentityRefused(
                Reason.INVALID, f"{shown(self.dn)} has {len(values)} values of {attribute}"
            )
        return values[0] if values else None

    def to_json(self) -> dict[str, list[str]]:
        """Write the attributes as JSON values: texts, and in base64 whatever is none."""
        return {
            name: [
                base64.b64encode(value).decode() if (text := _text(value)) is None else text
                for value in values
            ]
            for name, values in self.attributes.items()
        }


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    """A group of a directory that a person is in.

    Parameters
    ----------
    name
        Its name.
    gid
        Its number as the directory has it, if it has one.
    dn
        Its name in the tree.
    sid
        Its SID in Active Directory.
    """

    name: str
    gid: str | None
    dn: str
    sid: bytes | None = None


def _text(value: bytes) -> str | None:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
