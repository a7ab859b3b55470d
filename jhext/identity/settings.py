"""The section ``identity`` of the settings: whom to ask who a person is, and what to accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import (
    AfterValidator,
    Field,
    ImportString,
    model_validator,
)
from sqlalchemy.exc import ArgumentError

from jhext.section import SecretRef, Section

from . import names
from .github import GroupKind
from .ids import KUBERNETES_MAX_ID, RESERVED_IDS
from .ldap.settings import ActiveDirectorySettings, LdapSettings
from .pointers import parse
from .rest import UrlTemplate
from .source import Field as PersonField
from .source_section import Seconds, SourceSection

Id = Annotated[int, Field(ge=0, le=KUBERNETES_MAX_ID)]


def _pointer(value: str) -> str:
    parse(value)
    return value


def _url(value: str) -> str:
    UrlTemplate(value)
    return value


def _database(value: str | SecretRef) -> str | SecretRef:
    if isinstance(value, SecretRef):
        return value
    try:
        password = sa.make_url(value).password
    except ArgumentError:
        raise ValueError("is not the URL of a database as SQLAlchemy writes it") from None
    if password is not None:
        raise ValueError("has a password in it: write {env: NAME} or {file: PATH}")
    return value


Pointer = Annotated[str, AfterValidator(_pointer)]


class _PointersSettings(SourceSection):
    """What sources have whose answers are JSON."""

    group_name: Pointer = Field(
        default="/name",
        description="Where the name is in each element of the list that `groups` points to.",
        examples=["/cn"],
    )
    group_gid: Pointer = Field(
        default="/gid",
        description="Where the number is in each element of that list.",
        examples=["/gidNumber"],
    )


class RestSettings(_PointersSettings):
    """A web service that is asked for one person at a time."""

    type: Literal["rest"]
    url: Annotated[str, AfterValidator(_url)] = Field(
        description="The address of one person; {username} stands for the hub's name.",
        examples=["https://ids.example.org/people/{username}"],
    )
    allow_http: bool = Field(
        default=False,
        description="Whether the address may be http: whoever is on the way can then be anybody.",
    )
    headers: dict[str, str | SecretRef] = Field(
        default_factory=dict,
        description="What is sent along. A secret in a file is read anew each time.",
        examples=[{"Authorization": {"env": "IDS_AUTHORIZATION"}}],
    )
    fields: dict[PersonField, Pointer] = Field(
        description="Where each field is in the answer, as JSON pointers.",
        min_length=1,
        examples=[{"uid": "/uidNumber", "gid": "/gidNumber", "home": "/home/path"}],
    )
    timeout: Seconds = Field(
        default=5, gt=0, le=60, description="The time for one answer.", examples=["5s"]
    )
    max_bytes: int = Field(
        default=262_144, ge=1, le=16_777_216, description="How long an answer may be, in bytes."
    )
    ca_file: str | None = Field(
        default=None,
        description="Certificates to trust in place of the system's.",
        examples=["/etc/ssl/campus-ca.pem"],
    )

    @model_validator(mode="after")
    def _encrypted(self) -> RestSettings:
        if UrlTemplate(self.url).plain and not self.allow_http:
            raise ValueError("url is http: use https, or set allow_http")
        return self


class FilesSettings(SourceSection):
    """Files in the form of ``/etc/passwd`` and ``/etc/group``."""

    type: Literal["files"]
    passwd: str | None = Field(
        default=None, description="The file with the accounts.", examples=["/srv/ids/passwd"]
    )
    group: str | None = Field(
        default=None, description="The file with the groups.", examples=["/srv/ids/group"]
    )

    @model_validator(mode="after")
    def _one_at_least(self) -> FilesSettings:
        if self.passwd is None and self.group is None:
            raise ValueError("needs passwd, group, or both")
        return self


class TableSettings(SourceSection):
    """A file of people in YAML or CSV."""

    type: Literal["table"]
    path: str = Field(
        pattern=r"\.(ya?ml|json|csv)$",
        description="The file. YAML: names and the fields of each; CSV: a column `name`, and one "
        "for each field.",
        examples=["/srv/ids/people.yaml"],
    )


class HostSettings(SourceSection):
    """The name service of the machine that the hub runs on, such as SSSD."""

    type: Literal["host"]


class FunctionSettings(SourceSection):
    """A function of your own."""

    type: Literal["function"]
    function: ImportString[Callable[..., Any]] = Field(
        description="The function, or where it is. It takes a jhext.identity.source.Person and "
        "gives a mapping of fields, or None for somebody it does not know. May be async.",
        examples=["campus.people:lookup"],
    )


class AuthStateSettings(_PointersSettings):
    """What the authenticator knows."""

    type: Literal["auth_state"]
    fields: dict[PersonField, Pointer] | None = Field(
        default=None,
        description="Where each field is in auth_state, as JSON pointers. By default they are in "
        'auth_state["jhext"].',
        examples=[{"uid": "/user_attributes/uidNumber/0", "home": "/oauth_user/home"}],
    )


class FixedSettings(SourceSection):
    """The same values for everybody to whom no earlier source gave any."""

    type: Literal["fixed"]
    values: dict[PersonField, Any] = Field(
        min_length=1, description="The values.", examples=[{"gid": 100, "shell": "/bin/bash"}]
    )


class GitHubSettings(SourceSection):
    """What `jhext.GitHubOAuthenticator` knows: GitHub's own numbers of people and teams."""

    type: Literal["github"]
    groups: frozenset[GroupKind] = Field(
        default=frozenset({"teams"}),
        strict=False,
        description="Which of them become groups of the file system.",
        examples=[["teams", "organizations"]],
    )
    uid_offset: Id = Field(
        default=0, description="What is added to the id of a person, to make the uid."
    )
    team_gid_offset: Id = Field(
        default=0, description="What is added to the id of a team, to make the gid."
    )
    organization_gid_offset: Id = Field(
        default=0, description="What is added to the id of an organization, to make the gid."
    )

    @property
    def may_mix_teams_and_people(self) -> bool:
        """Whether the number of a team may be the uid of a person."""
        given = {"uid", "groups"} if self.provides is None else self.provides
        is_same = self.uid_offset == self.team_gid_offset
        return is_same and "teams" in self.groups and {"uid", "groups"} <= given

    @model_validator(mode="after")
    def _apart(self) -> GitHubSettings:
        is_same = self.team_gid_offset == self.organization_gid_offset
        if len(self.groups) > 1 and is_same:
            raise ValueError(
                "groups: teams and organizations are counted apart, and one of each may have the "
                "same number: give team_gid_offset another value, such as 1000000000"
            )
        return self


class AllocateSettings(Section):
    """Ids for people and groups to whom no source gives any, kept in the database of the ledger."""

    users: tuple[Id, Id] = Field(
        default=(3_000_000, 3_999_999),
        strict=False,
        description="The first and the last uid that people without one get.",
    )
    groups: tuple[Id, Id] = Field(
        default=(2_000_000, 2_999_999),
        strict=False,
        description="The first and the last gid that groups without one get.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> AllocateSettings:
        (first, last), (first_gid, last_gid) = self.users, self.groups
        if first > last or first_gid > last_gid:
            raise ValueError("the first number of a range is larger than the last")
        # A person's own group has the number of the person.
        if first <= last_gid and first_gid <= last:
            raise ValueError("users and groups have numbers in common")
        return self


SourceSettings = Annotated[
    RestSettings
    | FilesSettings
    | TableSettings
    | HostSettings
    | FunctionSettings
    | AuthStateSettings
    | FixedSettings
    | GitHubSettings
    | LdapSettings
    | ActiveDirectorySettings,
    Field(discriminator="type"),
]


class IdentitySettings(Section):
    """The section ``identity``: who a person is on the file system."""

    mode: Literal["user", "platform"] = Field(
        default="user",
        description="`user`: each person has ids, from the sources. `platform`: the cluster "
        "assigns them, as OpenShift does, and no pod asks for any.",
    )
    sources: tuple[SourceSettings, ...] = Field(
        default=(),
        strict=False,
        description="Whom to ask. The first that has a field decides it.",
        examples=[[{"type": "files", "passwd": "/srv/ids/passwd", "group": "/srv/ids/group"}]],
    )
    required: frozenset[PersonField] = Field(
        default=frozenset(),
        strict=False,
        description="What a person must have besides a name, a uid and a gid.",
        examples=[["home"]],
    )
    min_uid: Id = Field(default=1000, description="The smallest uid of a person.")
    max_uid: Id = Field(default=KUBERNETES_MAX_ID, description="The largest uid of a person.")
    min_gid: Id = Field(default=100, description="The smallest gid that a person may have.")
    max_gid: Id = Field(default=KUBERNETES_MAX_ID, description="The largest such gid.")
    reserved_ids: frozenset[Id] = Field(
        default=RESERVED_IDS, strict=False, description="Ids that no person or group may have."
    )
    allow_root: bool = Field(
        default=False, description="Whether somebody may have uid 0 or gid 0. Don't."
    )
    user_private_groups: bool = Field(
        default=False,
        description="Whether a person without a gid gets the uid as gid, and a group of that name.",
    )
    default_shell: Annotated[str, AfterValidator(names.shell)] = Field(
        default="/bin/bash", description="The shell of whom no source gives one."
    )
    unique_uid: Literal["refuse", "warn", "off"] = Field(
        default="refuse",
        description="What happens when a uid is already somebody else's in the ledger.",
    )
    allocate: AllocateSettings | None = Field(
        default=None,
        description="Gives ids to people and groups to whom no source gives any; without it they "
        "are refused or left out.",
        examples=[{}],
    )
    ledger: Annotated[str | SecretRef, AfterValidator(_database)] = Field(
        default="sqlite:///jhext-uids.sqlite",
        description="The database of the ledger, as an SQLAlchemy URL. Hubs that serve the same "
        "file system share one.",
        examples=[{"env": "JHEXT_LEDGER_URL"}],
    )
    deadline: Seconds = Field(
        default=15,
        gt=0,
        le=600,
        description="The time for all sources and the ledger together. Keep it well below the "
        "spawner's start_timeout.",
        examples=["15s"],
    )
    concurrency: int = Field(
        default=32, ge=1, le=512, description="How many people may be looked up at the same time."
    )
    ttl: Seconds = Field(
        default=300,
        le=86_400,
        description="The time for which an identity is used without asking again.",
        examples=["5m"],
    )
    serve_stale: Seconds = Field(
        default=0,
        le=604_800,
        description="The time after that for which it is still used while a source does not "
        "answer. 0: never.",
        examples=["1h"],
    )

    @model_validator(mode="after")
    def _consistent(self) -> IdentitySettings:
        if self.mode == "platform":
            if self.sources or self.allocate is not None:
                raise ValueError("mode platform asks nobody: leave out sources and allocate")
            return self
        if not self.sources and self.allocate is None:
            raise ValueError("sources: at least one is needed, or allocate, or mode: platform")
        named = [source.name or source.type for source in self.sources]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"sources: give each a name of its own: {', '.join(twice)}")
        if self.min_uid > self.max_uid or self.min_gid > self.max_gid:
            raise ValueError("the smallest uid or gid is larger than the largest")
        if self.allocate is not None:
            self._check_ranges(self.allocate)
        github = [source for source in self.sources if isinstance(source, GitHubSettings)]
        if self.user_private_groups and any(one.may_mix_teams_and_people for one in github):
            raise ValueError(
                "user_private_groups: a team of GitHub may have the number of a person, whose own "
                "group it would be: give team_gid_offset another value, such as 1000000000"
            )
        return self

    def _check_ranges(self, allocate: AllocateSettings) -> None:
        accepted = {"users": (self.min_uid, self.max_uid), "groups": (self.min_gid, self.max_gid)}
        for name, (smallest, largest) in accepted.items():
            first, last = getattr(allocate, name)
            if first < smallest or last > largest:
                raise ValueError(f"allocate.{name}: not between {smallest} and {largest}")
            if reserved := [number for number in self.reserved_ids if first <= number <= last]:
                raise ValueError(f"allocate.{name}: {min(reserved)} is reserved")
