"""The settings of sources that are directories."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from jhext.identity.sid import Slices
from jhext.identity.source import Field as PersonField
from jhext.identity.source_section import Seconds, SourceSection
from jhext.section import SecretRef

from .access import parse_server
from .inbox import GarbledError
from .layout import Layout
from .messages import Search, search

_USUAL = Layout(user_base="")


def _server(value: str) -> str:
    parse_server(value)
    return value


def _filter(value: str) -> str:
    try:
        search(1, Search(base="", filter=value))
    except GarbledError:
        raise ValueError("is no filter as RFC 4515 writes it") from None
    return value


Filter = Annotated[str, AfterValidator(_filter)]
Attribute = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]


class DirectorySettings(SourceSection):
    """What both kinds of directories have."""

    servers: tuple[Annotated[str, AfterValidator(_server)], ...] = Field(
        strict=False,
        min_length=1,
        description="The servers, all with the same content; the first that answers is asked. "
        "`ldaps://` is encrypted from the start, `ldap://` by StartTLS before anything else.",
        examples=[["ldaps://ldap1.example.org", "ldaps://ldap2.example.org"]],
    )
    ca_file: str | None = Field(
        default=None,
        description="Certificates to trust in place of the system's.",
        examples=["/etc/ssl/campus-ca.pem"],
    )
    allow_plaintext: bool = Field(
        default=False,
        description="Whether `ldap://` may go without encryption: whoever is on the way reads the "
        "hub's password and can be anybody.",
    )
    bind_dn: str | None = Field(
        default=None,
        min_length=1,
        description="The hub's own account. Without it look-ups are anonymous.",
        examples=["cn=hub,ou=services,dc=example,dc=org"],
    )
    bind_password: SecretRef | None = Field(
        default=None,
        description="Its password. One in a file is read anew for each connection.",
        examples=[{"file": "/run/secrets/ldap-password"}],
    )
    user_base: str = Field(
        description="Where people are.", examples=["ou=people,dc=example,dc=org"]
    )
    group_base: str | None = Field(
        default=None,
        description="Where groups are. Their names have to be unique below it. Without it there "
        "are no groups.",
        examples=["ou=groups,dc=example,dc=org"],
    )
    fields: dict[PersonField, Attribute] = Field(
        default_factory=dict,
        description="The attributes of fields, where they are not the usual ones.",
        examples=[{"home": "nfsHomeDirectory"}],
    )
    claims: tuple[Attribute, ...] = Field(
        default=(),
        strict=False,
        description="The attributes that access rules may read, each as a list of texts, under "
        "their names as written here.",
        examples=[["eduPersonAffiliation"]],
    )
    timeout: Seconds = Field(
        default=5,
        gt=0,
        le=60,
        description="The time for a connection and for each answer, after which the next server "
        "is asked.",
        examples=["5s"],
    )
    connections: int = Field(
        default=10, ge=1, le=100, description="How many connections may be open."
    )

    @model_validator(mode="after")
    def _consistent(self) -> DirectorySettings:
        if (self.bind_dn is None) != (self.bind_password is None):
            raise ValueError("bind_dn and bind_password go together")
        if given := sorted(self.fields.keys() & {"username", "groups", "claims"}):
            raise ValueError(f"fields: {', '.join(given)} cannot be given by an attribute here")
        return self


class LdapSettings(DirectorySettings):
    """OpenLDAP and its kin, with POSIX accounts (RFC 2307 and rfc2307bis)."""

    type: Literal["ldap"]
    user_filter: Filter = Field(default=_USUAL.user_filter, description="What people are.")
    login_attribute: Attribute = Field(
        default="uid", description="The attribute that is the person's name."
    )
    group_filter: Filter = Field(default=_USUAL.group_filter, description="What groups are.")
    group_attribute: Attribute = Field(
        default="cn", description="The attribute that is the group's name."
    )
    member_attributes: tuple[Attribute, ...] = Field(
        default=_USUAL.member_attributes,
        strict=False,
        min_length=1,
        description="The attributes that say who is in a group: `memberUid` by name, others by DN. "
        "`memberOf` is one of people's own entries: for groups without lists of members, where "
        "nobody may write it but the server.",
    )
    nested_groups: bool = Field(
        default=True,
        description="Whether somebody is in the groups that a group is in, at any depth. It takes "
        "a search more for each level.",
    )


class ActiveDirectorySettings(DirectorySettings):
    """Active Directory."""

    type: Literal["active_directory"]
    nested_groups: Literal["token_groups", "in_chain", "none"] = Field(
        default="token_groups",
        description="How the groups of groups are found. `token_groups`: what a logon gives, "
        "security groups only; the hub's account must be allowed to read `tokenGroups`. "
        "`in_chain`: by a search that is slow for the domain controller. `none`: they don't count.",
    )
    ids: Literal["posix", "sid"] = Field(
        default="posix",
        description="`posix`: uidNumber and gidNumber. `sid`: made from the SIDs as SSSD does "
        "with `ldap_id_mapping`; the POSIX attributes then don't count.",
    )
    sid_range: tuple[int, int, int] = Field(
        default=(Slices().range_min, Slices().range_max, Slices().range_size),
        strict=False,
        description="SSSD's `ldap_idmap_range_min`, `ldap_idmap_range_max` and "
        "`ldap_idmap_range_size`, for `ids: sid`.",
    )

    @model_validator(mode="after")
    def _slices(self) -> ActiveDirectorySettings:
        Slices(*self.sid_range)
        return self
