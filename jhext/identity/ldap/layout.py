"""The layout of a directory: where people and groups are in it, and what their attributes are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Nesting(StrEnum):
    """How the groups of groups are found."""

    NONE = "none"
    """They don't count."""
    WALK = "walk"
    """By asking for the groups of the groups found so far, until there are no more."""
    TOKEN_GROUPS = "token_groups"  # noqa: S105 - an attribute of Active Directory
    """Active Directory says them: what a person's logon token holds, security groups only."""
    IN_CHAIN = "in_chain"
    """Active Directory follows them in one search. Other servers answer it with nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where people and groups are.

    Parameters
    ----------
    user_base
        The DN below which people are. Empty: the directory's only tree, or its domain.
    user_filter
        What people are, in the form of RFC 4515.
    login_attributes
        Where what somebody types is looked for.
    name_attribute
        The attribute that is the person's name, in the spelling of the directory.
    attributes
        What else is wanted of people.
    group_base
        The DN below which groups are; empty, as for people. None: there are no groups.
    group_filter
        What groups are, in the form of RFC 4515.
    group_name_attribute
        The attribute that is the group's name.
    member_attributes
        The attributes of groups that say who is in it: ``memberUid`` by name, others by DN; and
        ``memberOf``, by which people and groups say themselves which groups they are in.
    nesting
        How the groups of groups are found.
    """

    user_base: str
    user_filter: str = "(objectClass=posixAccount)"
    login_attributes: tuple[str, ...] = ("uid",)
    name_attribute: str = "uid"
    attributes: tuple[str, ...] = ()
    group_base: str | None = None
    group_filter: str = (
        "(|(objectClass=posixGroup)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)"
        "(objectClass=groupOfMembers)(objectClass=group))"
    )
    group_name_attribute: str = "cn"
    member_attributes: tuple[str, ...] = ("member", "uniqueMember", "memberUid")
    nesting: Nesting = Nesting.WALK

    @classmethod
    def active_directory(
        cls,
        *,
        user_base: str,
        group_base: str | None = None,
        attributes: tuple[str, ...] = (),
        nesting: Nesting = Nesting.TOKEN_GROUPS,
    ) -> Layout:
        """Give the layout of an Active Directory, whose names are unique in a domain."""
        return cls(
            user_base=user_base,
            user_filter="(&(objectCategory=person)(objectClass=user))",
            login_attributes=("sAMAccountName", "userPrincipalName"),
            name_attribute="sAMAccountName",
            attributes=attributes,
            group_base=group_base,
            group_filter="(objectCategory=group)",
            group_name_attribute="sAMAccountName",
            member_attributes=("member",),
            nesting=nesting,
        )
