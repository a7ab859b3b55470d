"""The text file that says ``user:profile``, one right in a line.

- ``user:profile``: the user may start the profile;
- ``@group:profile``: members of the group may;
- ``*:profile``: everybody may;
- ``!user:profile`` and ``!@group:profile``: they may not, whatever else allows it;
- ``#`` begins a comment; blank lines do not count.

A profile is named by its slug or its display name. A line about a user is split at its first
colon: display names can hold more. A line about a group is split at its last one, because the
names of groups hold colons, and takes a slug. Blanks around either side do not count. The file is
UTF-8, with or without a byte-order mark, and its lines end as on UNIX or as on Windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .access import Mapped
from .finding import FaultyError, Finding, Suggestions
from .lines import parse_lines

Kind = Literal["user", "group", "everybody"]
Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class MappingLine:
    """One line: who may, or may not, start what.

    Parameters
    ----------
    number
        Its number in the file, counted from 1.
    deny
        Whether it takes the right away.
    kind
        Whom it is about.
    name
        The name of the user or group; empty for everybody.
    profile
        The profile, as it is written.
    """

    number: int
    deny: bool
    kind: Kind
    name: str
    profile: str

    def __str__(self) -> str:
        who = {"user": self.name, "group": f"@{self.name}", "everybody": "*"}[self.kind]
        return f"{'!' * self.deny}{who}:{self.profile}"

    @property
    def meaning(self) -> str:
        """How it was read, as a sentence."""
        who = "everybody" if self.kind == "everybody" else f"{self.kind} {self.name!r}"
        return f"{who} {'may not' if self.deny else 'may'} start {self.profile!r}"

    def finding(self, file: str, level: Level, message: str, suggestion: str) -> Finding:
        """Say what is wrong with it."""
        return Finding(
            level, "", "", f"{self}: {message}", file, self.number, suggestion=suggestion
        )


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A file of such lines.

    Parameters
    ----------
    file
        Its name.
    lines
        Its lines, without comments and blank ones.
    """

    file: str
    lines: tuple[MappingLine, ...]


def parse_mapping(content: bytes, file: str) -> MappingFile:
    """Read the content of a mapping file.

    Raises
    ------
    ConfigurationError
        Lines are malformed. Each is told with its number.
    """
    return MappingFile(file, tuple(parse_lines(content, file, _lines)))


def _lines(number: int, text: str) -> Iterator[MappingLine]:
    if text and not text.startswith("#"):
        yield _line(number, text)


def _line(number: int, text: str) -> MappingLine:
    deny = text.startswith("!")
    who = text.removeprefix("!")
    is_group = who.startswith("@")
    left, colon, right = who.rpartition(":") if is_group else who.partition(":")
    name, profile = left.removeprefix("@").strip() if is_group else left.strip(), right.strip()
    if not colon or not name or not profile:
        raise FaultyError("is not user:profile, @group:profile or *:profile", _mended(text))
    if who.startswith("!"):
        raise FaultyError("takes nothing away twice", "write one !")
    if is_group and name == "*":
        raise FaultyError("would be about a group that is called *", "write * for everybody")
    if is_group:
        return MappingLine(number, deny, "group", name, profile)
    if name != "*":
        return MappingLine(number, deny, "user", name, profile)
    if deny:
        raise FaultyError("would take the profile from everybody", "take the profile out instead")
    return MappingLine(number, deny, "everybody", "", profile)


def _mended(text: str) -> str:
    if ":" not in text and len(words := text.split()) == 2:
        return f"did you mean {':'.join(words)}?"
    return "name both, with a colon between them; # begins a comment"


def bind(
    files: Sequence[MappingFile], profiles: Sequence[tuple[str, str]]
) -> tuple[dict[str, Mapped], list[Finding]]:
    """Find the profiles that the lines are about.

    Parameters
    ----------
    files
        The mapping files.
    profiles
        The slug and the display name of each profile.

    Returns
    -------
    tuple
        What the lines say about each profile, by slug, and what was found: lines that can never
        match, and lines that could be about two profiles.
    """
    slugs = {slug for slug, _ in profiles}
    named: dict[str, set[str]] = {}
    for slug, display_name in profiles:
        named.setdefault(display_name, set()).add(slug)
    known = {name: slug for slug, name in profiles} | {slug: slug for slug in slugs}
    hints = Suggestions(known, "add such a profile, or take the line out")
    found: list[Finding] = []
    rules: dict[str, list[tuple[MappingLine, str]]] = {}
    for file in files:
        for line in file.lines:
            meant = _meant(line, slugs, named)
            found += [
                line.finding(file.file, level, message, suggestion)
                for level, message, suggestion in _problems(line, meant, hints)
            ]
            if len(meant) == 1:
                rules.setdefault(meant.pop(), []).append((line, f"{file.file}:{line.number}"))
    return {slug: _mapped(lines) for slug, lines in rules.items()}, found


def _meant(line: MappingLine, slugs: set[str], named: Mapping[str, set[str]]) -> set[str]:
    if line.profile in slugs:
        return {line.profile}
    return set() if line.kind == "group" else set(named.get(line.profile, ()))


def _problems(
    line: MappingLine, meant: set[str], hints: Suggestions
) -> Iterator[tuple[Level, str, str]]:
    """Give the level, what is wrong, and what to do about it."""
    if not meant:
        what = "slug" if line.kind == "group" else "slug or display name"
        has_comment = " #" in line.profile
        suggestion = "put the comment in a line of its own" if has_comment else hints[line.profile]
        yield "warning", f"never matches: no profile has this {what}", suggestion
    elif len(meant) > 1:
        slugs = ", ".join(sorted(meant))
        yield "error", f"could be any of {slugs}", "write the slug in place of the display name"
    if line.kind == "user" and line.name != (lower := line.name.lower()):
        message = "never matches: JupyterHub's names are lower case"
        yield "warning", message, f"write {lower!r}"


def _mapped(lines: Sequence[tuple[MappingLine, str]]) -> Mapped:
    def places(kind: Kind, *, deny: bool) -> dict[str, str]:
        # The first line about somebody is the one that is told.
        return {
            line.name: place
            for line, place in reversed(lines)
            if (line.kind, line.deny) == (kind, deny)
        }

    return Mapped(
        allowed_users=places("user", deny=False),
        allowed_groups=places("group", deny=False),
        everybody=places("everybody", deny=False).get("", ""),
        blocked_users=places("user", deny=True),
        blocked_groups=places("group", deny=True),
    )
