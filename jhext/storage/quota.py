"""How full a home is, as whoever keeps its quota knows; said before a server starts in it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from jhext.identity.pointers import find, parse
from jhext.identity.rest import UrlTemplate
from jhext.identity.source_section import Seconds
from jhext.section import SecretRef, Section
from jhext.units import parse_memory, parse_quantity

USERNAME, CLAIM = "{username}", "{claim}"


def placeholder_of(url: str) -> str:
    """Say by what an address finds a home."""
    return CLAIM if CLAIM in url else USERNAME


def _url(value: str) -> str:
    UrlTemplate(value, placeholder_of(value))
    return value


def _pointer(value: str) -> str:
    parse(value)
    return value


Pointer = Annotated[str, AfterValidator(_pointer)]


class QuotaSettings(Section):
    """The section ``storage.quota``: whom to ask how full a home is."""

    url: Annotated[str, AfterValidator(_url)] = Field(
        description="The address that tells it, by `{username}`, the hub's name of the person, or "
        "by `{claim}`, the name of the claim that the home is in.",
        examples=["https://quota.example.org/homes/{username}"],
    )
    allow_http: bool = Field(default=False, description="Whether the address may be http.")
    headers: dict[str, str | SecretRef] = Field(
        default_factory=dict,
        description="What is sent along. A secret in a file is read anew each time.",
        examples=[{"Authorization": {"env": "QUOTA_AUTHORIZATION"}}],
    )
    ca_file: str | None = Field(
        default=None, description="Certificates to trust in place of the system's."
    )
    timeout: Seconds = Field(
        default=3,
        gt=0,
        le=30,
        description="The time for an answer. Without one, servers start as if there were room.",
        examples=["3s"],
    )
    available: Pointer | None = Field(
        default=None,
        description="Where it stands in the answer how much still fits in, in bytes or as a "
        "quantity such as 10Gi; a JSON pointer.",
        examples=["/free"],
    )
    used: Pointer | None = Field(
        default=None, description="Or where it stands how much is used.", examples=["/used"]
    )
    limit: Pointer | None = Field(
        default=None, description="And how much may be used.", examples=["/quota"]
    )
    free: Annotated[
        int, BeforeValidator(parse_memory), WithJsonSchema({"type": ["string", "integer"]})
    ] = Field(
        default=2**20,
        description="A home is full where less than this fits in.",
        examples=["100M"],
    )
    rescue_profile: str = Field(
        default="",
        description="The slug of a profile for people to make room. Whoever may start it can start "
        "no other while the home is full. Without one, the form says that it is full, and all "
        "starts go on.",
        examples=["rescue"],
    )

    @model_validator(mode="after")
    def _consistent(self) -> QuotaSettings:
        if UrlTemplate(self.url, placeholder_of(self.url)).plain and not self.allow_http:
            raise ValueError("url is http: use https, or set allow_http")
        if (self.available is None) != (self.used is not None and self.limit is not None):
            raise ValueError("say available, or used and limit")
        return self


@dataclass(frozen=True, slots=True)
class FullHome:
    """A home that next to nothing fits into.

    Parameters
    ----------
    available
        How much still fits in, in bytes.
    rescue
        The slug of the profile in which people make room; empty where there is none.
    """

    available: int
    rescue: str

    def text(self, rescue: str) -> str:
        """Tell the person.

        Parameters
        ----------
        rescue
            What the form calls the profile in which they can make room; empty where they may not
            start it.
        """
        left = f"{self.available / 2**20:.1f} MiB are left" if self.available else "nothing is left"
        cure = f'To make room, start "{rescue}".' if rescue else "Please make room."
        return f"Your home is full, {left}. {cure}"

    def notice(self, rescue: str) -> str:
        """Tell the person above the form; see `text`."""
        told = escape(self.text(rescue))
        return f'<div class="alert alert-danger" role="alert">{told}</div>'


def full_home(document: Any, settings: QuotaSettings) -> FullHome | None:
    """Read from an answer whether a home is full; None where it is not.

    Raises
    ------
    LookupError
        It does not say so.
    ValueError
        It says so, and not in numbers.
    """

    def amount(pointer: str | None) -> int:
        value = find(document, parse(pointer or ""))
        if value is None:
            raise LookupError(f"there is nothing at {pointer}")
        return int(parse_quantity(value))

    if settings.available is not None:
        available = amount(settings.available)
    else:
        available = amount(settings.limit) - amount(settings.used)
    if available >= settings.free:
        return None
    return FullHome(max(0, available), settings.rescue_profile)
