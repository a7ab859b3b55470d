"""Cases beside the rules: who may start what, and who may not, checked like unit tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..advice import advise
from ..profiles.access import Person
from ..profiles.finding import ConfigurationError, FaultyError, Finding
from ..yamlfile import read_document
from .configuration import Configuration
from .verdict import Verdict, judge

Expected = Literal["allowed", "refused"]


def _aware(value: Any) -> Any:
    """Take a time without a zone as UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()  # YAML makes dates of dates
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
    except ValueError:
        raise FaultyError("is no time in ISO 8601", "write 2026-10-01T09:00+02:00") from None
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Case(_Strict):
    """Somebody asks for something."""

    name: str = Field(default="", description="What the case is about.")
    user: str = Field(description="The normalised name of a user.")
    groups: list[str] = Field(default_factory=list, description="The full names of the groups.")
    admin: bool = Field(default=False, description="Whether JupyterHub has the user as an admin.")
    claims: dict[str, Any] = Field(default_factory=dict, description="What rules see as claims.")
    server: str = Field(default="", description="The name of a named server.")
    at: Annotated[datetime, BeforeValidator(_aware)] | None = Field(
        default=None, description="The time of the decision; now where it is missing."
    )
    profile: str | None = Field(
        default=None, description="The profile asked for; none means the default one."
    )
    options: dict[str, str] = Field(
        default_factory=dict, description="The choices asked for, by the key of the option."
    )
    expect: Expected = Field(description="What the answer has to be.")
    because: str = Field(
        default="", description="Text that the rule or the reason behind the answer has to hold."
    )

    @property
    def person(self) -> Person:
        """The one who asks."""
        return Person(
            self.user,
            frozenset(self.groups),
            self.admin,
            self.server,
            self.claims,
            self.at or datetime.now(UTC),
        )

    @property
    def user_options(self) -> dict[str, str]:
        """What is asked for."""
        return self.options if self.profile is None else {"profile": self.profile, **self.options}

    def __str__(self) -> str:
        asked = ", ".join(f"{key}={value}" for key, value in self.options.items())
        start = f"{self.user} starts {self.profile or 'the default'}"
        return self.name or (f"{start} with {asked}" if asked else start)


class CaseFile(_Strict):
    """A file of cases."""

    configuration: str = Field(
        default="jhext.yaml",
        description="The jhext.yaml or jupyterhub_config.py, seen from the folder of this file.",
    )
    cases: list[Case] = Field(description="The cases.", min_length=1)


@dataclass(frozen=True)
class Cases:
    """Cases that were read.

    Parameters
    ----------
    configuration
        What they are about.
    cases
        Each with its line in the file.
    """

    configuration: Path
    cases: tuple[tuple[int, Case], ...]


@dataclass(frozen=True)
class Result:
    """How a case came out."""

    line: int
    case: Case
    verdict: Verdict

    @property
    def got(self) -> Expected:
        """The answer."""
        return "allowed" if self.verdict.allowed else "refused"

    @property
    def passed(self) -> bool:
        """Whether it is the expected one, for the expected reason."""
        decision = self.verdict.decision
        because = f"{decision.rule}\n{decision.reason}"
        return self.got == self.case.expect and self.case.because in because


def read_cases(path: Path) -> Cases:
    """Read a file of cases.

    Raises
    ------
    ConfigurationError
        It cannot be read, or has another shape; all that is wrong is told at once.
    """
    document = read_document(path)
    try:
        found = CaseFile.model_validate(document.value)
    except ValidationError as error:
        raise ConfigurationError(
            _finding(path, document.lines, item) for item in error.errors()
        ) from None
    lines = (document.lines["cases", n] for n in range(len(found.cases)))
    return Cases(path.parent / found.configuration, tuple(zip(lines, found.cases, strict=True)))


def run_cases(cases: Cases, configuration: Configuration) -> list[Result]:
    """Run all cases.

    Raises
    ------
    ConfigurationError
        The profiles are faulty, so that a hub would start nothing.
    """
    extra = configuration.extra_user_options
    people = [case.person for _, case in cases.cases]
    return [
        Result(line, case, judge(catalog, person, case.user_options, extra))
        for (line, case), person, catalog in zip(
            cases.cases, people, configuration.shown(people), strict=True
        )
    ]


def _finding(path: Path, lines: Mapping[tuple[Any, ...], int], error: Any) -> Finding:
    location, message, suggestion = advise(error, CaseFile)
    known = next((location[:n] for n in range(len(location), 0, -1) if location[:n] in lines), ())
    path_to, line = ".".join(map(str, location)), lines.get(known, 1)
    return Finding("error", "", path_to, message, str(path), line, suggestion=suggestion)
