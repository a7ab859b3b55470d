"""The section ``storage`` of the settings: homes, claims and shared data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from jhext.section import Section
from jhext.units import parse_quantity

from . import names, template
from .home import HomeSettings
from .mounts import MountSettings, check_mounts
from .prepare import InitSettings, check_init
from .quota import CLAIM, QuotaSettings, placeholder_of

TEXT_FIELDS = frozenset(
    {
        "claim",
        "username",
        "servername",
        "user_server",
        "unescaped_username",
        "unescaped_servername",
        "profile",
        "group",
    }
)
"""What may stand in the annotations of a claim."""
SLUG_FIELDS = frozenset(name for name in TEXT_FIELDS if not name.startswith("unescaped_"))
"""What may stand in its other texts: Kubernetes takes no name as it is in a name or a label."""
SIZE_FIELDS = frozenset({"profile", "group"})
"""What may stand in its size, as it is: nobody can name a server after the size they would like."""

_KEY = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")


def check_size(value: str) -> None:
    """Check how much a claim shall hold.

    Raises
    ------
    ValueError
        It is no quantity, or nothing.
    """
    if parse_quantity(value) <= 0:
        raise ValueError("must be more than nothing")


def _number(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _text(value: str) -> str:
    template.check(value, TEXT_FIELDS.__contains__, TEXT_FIELDS)
    return value


def _slugs(value: str) -> str:
    template.check(value, SLUG_FIELDS.__contains__, SLUG_FIELDS)
    return value


def _size(value: str) -> str:
    """Check a size, and one with fields as if these were numbers."""
    template.check(value, SIZE_FIELDS.__contains__, SIZE_FIELDS)
    check_size(template.render(value, dict.fromkeys(SIZE_FIELDS, "1")))
    return value


def _slugs_in(value: Any) -> Any:
    """Check all texts in a value, as `_slugs` does one."""
    template.mapped(_slugs, value)
    return value


Size = Annotated[
    str,
    BeforeValidator(_number),
    AfterValidator(_size),
    WithJsonSchema({"type": ["string", "integer"]}),
]
Text = Annotated[str, AfterValidator(_text)]
Slugs = Annotated[str, AfterValidator(_slugs)]
AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]
Retention = Literal["keep", "delete_with_server", "delete_with_user"]


class DataSource(Section):
    """What a new claim is filled with."""

    kind: Literal["PersistentVolumeClaim", "VolumeSnapshot"] = Field(
        description="A claim to clone, or a snapshot."
    )
    name: Slugs = Field(
        description="Its name, with the fields that the texts of a claim have.",
        examples=["course-2026"],
    )


class ClaimSpec(Section):
    """What a claim asks for. A profile can change it by ``storage_claims``."""

    size: Size = Field(
        default="1Gi",
        description="How much it holds. The fields are `profile` and `group`, as they are.",
        examples=["20Gi"],
    )
    storage_class: Slugs | None = Field(
        default=None,
        description="The StorageClass; by default the cluster's. Empty: none, for a volume that "
        "exists already.",
        examples=["fast"],
    )
    access_modes: tuple[AccessMode, ...] = Field(
        default=("ReadWriteOnce",),
        strict=False,
        min_length=1,
        description="Who may mount it at the same time.",
    )
    volume_attributes_class: Slugs | None = Field(
        default=None,
        description="The VolumeAttributesClass. It needs Kubernetes 1.34.",
        examples=["gold"],
    )
    volume_mode: Literal["Filesystem", "Block"] = Field(
        default="Filesystem",
        description="Whether it is a file system or a raw device, "
        "which no home and no mount can be.",
    )
    volume_name: Slugs | None = Field(
        default=None, description="The PersistentVolume that it shall be bound to."
    )
    selector: Annotated[dict[str, Any], AfterValidator(_slugs_in)] | None = Field(
        default=None,
        description="Which PersistentVolumes it may be bound to, as Kubernetes writes it. Its "
        "values are texts with fields, too.",
        examples=[{"matchLabels": {"home-of": "{username}"}}],
    )
    labels: dict[str, Slugs] = Field(default_factory=dict, description="More labels.")
    annotations: dict[str, Text] = Field(default_factory=dict, description="More annotations.")
    data_source: DataSource | None = Field(
        default=None,
        description="What it is filled with when it is made.",
        examples=[{"kind": "VolumeSnapshot", "name": "course-2026"}],
    )


class ClaimSettings(ClaimSpec):
    """One of ``storage.claims``."""

    per: names.Per = Field(
        default="user",
        description="What there is one for: each person, each server, each group, each profile, "
        "or the whole hub.",
    )
    name: str = Field(
        default="",
        description="Its name. The fields are `claim` (the key), `username`, `servername`, "
        "`user_server`, `profile` and `group`, as slugs like KubeSpawner's. By default "
        "`{claim}-{username}`, with `user_server`, `group` or `profile` in the place of "
        "`username` as `per` says.",
        examples=["claim-{user_server}"],
    )
    groups: frozenset[str] = Field(
        default=frozenset(),
        strict=False,
        description="With `per: group`: the groups that have one. Its members get it.",
        examples=[["physics"]],
    )
    when_missing: Literal["create", "refuse"] = Field(
        default="create",
        description="What happens when it was never there. `refuse`: claims are yours to make.",
    )
    when_lost: Literal["create", "refuse"] = Field(
        default="refuse",
        description="What happens when a server had it and it is gone.",
    )
    when_in_use: Literal["co_schedule", "refuse"] = Field(
        default="co_schedule",
        description="What happens when another server uses it and it is ReadWriteOnce: the new "
        "one comes to the same node, or is refused.",
    )
    grow: Literal["never", "when_larger"] = Field(
        default="never",
        description="Whether a claim that is smaller than `size` grows. Then the hub needs the "
        "verb `patch`, and the class must allow expansion. Nothing ever shrinks.",
    )
    retention: Retention = Field(
        default="keep",
        description="When it is deleted. It goes into a label of the claim, which decides later.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> ClaimSettings:
        if self.per not in ("user", "server") and self.retention != "keep":
            raise ValueError(f"retention: a claim per {self.per} is nobody's, so it is kept")
        if self.per == "user" and self.retention == "delete_with_server":
            raise ValueError("retention: other servers of the person use it; delete_with_user")
        if (self.per == "group") != bool(self.groups):
            raise ValueError("groups: needed with per: group, and only there")
        return self

    @property
    def is_raw(self) -> bool:
        """Whether it is a device and has no files."""
        return self.volume_mode == "Block"

    @property
    def common_size(self) -> str:
        """How much it holds, whosever it is; empty where that is not the same for all."""
        return "" if template.fields(self.size) else self.size

    def name_template(self) -> str:
        """Give the template of the name."""
        return self.name or names.DEFAULTS[self.per]


def _check_home(home: HomeSettings, claims: dict[str, ClaimSettings]) -> None:
    if not home.claim:
        return
    claim = claims.get(home.claim)
    if claim is None:
        raise ValueError(f"home.source.claim: there is no claim {home.claim!r} in claims")
    allowed = ("user", "server") if home.source.type == "claim" else ("hub",)
    if claim.per not in allowed:
        raise ValueError(f"home.source.claim: {home.claim} has to be per {' or '.join(allowed)}")


class StorageSettings(Section):
    """The section ``storage``. A change waits for a restart."""

    home: HomeSettings | None = Field(
        default=None,
        description="Where the homes are. Without it, homes are what KubeSpawner's traits say.",
    )
    claims: dict[str, ClaimSettings] = Field(
        default_factory=dict,
        description="The claims of people, servers, groups, profiles and the hub, each under a "
        "key of its own.",
        examples=[{"home": {"per": "server", "name": "claim-{user_server}", "size": "10Gi"}}],
    )

    mounts: tuple[MountSettings, ...] = Field(
        default=(),
        strict=False,
        description="What else is mounted, by rules about people, groups and profiles.",
    )
    init: InitSettings | None = Field(
        default=None,
        description="What is done to a home before the server starts; without it, nothing.",
    )

    quota: QuotaSettings | None = Field(
        default=None,
        description="Who knows how full homes are; without it, nobody is told before a start.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> StorageSettings:
        for key, claim in self.claims.items():
            if not _KEY.fullmatch(key):
                raise ValueError(
                    f"claims.{key}: a key has small letters, digits and -, at most 32 of them"
                )
            try:
                names.check_name(claim.name_template(), key, claim.per)
            except ValueError as error:
                raise ValueError(f"claims.{key}.name: {error}") from None
        for (one, first), (other, second) in combinations(self.claims.items(), 2):
            prefixes = (
                names.prefix(first.name_template(), one),
                names.prefix(second.name_template(), other),
            )
            if prefixes[0].startswith(prefixes[1]) or prefixes[1].startswith(prefixes[0]):
                raise ValueError(
                    f"claims: {one} and {other} could have the same name for two people: "
                    f"let neither {prefixes[0]!r} nor {prefixes[1]!r} begin with the other"
                )
        if self.home is not None:
            _check_home(self.home, self.claims)
        self.check_shown(self.claims)
        room = self.init.room.rescue_profile if self.init and self.init.room else ""
        if self.quota and room not in ("", self.quota.rescue_profile):
            raise ValueError("quota.rescue_profile: init.room has another one")
        is_in_claim = self.home is not None and self.home.source.type == "claim"
        if self.quota and placeholder_of(self.quota.url) == CLAIM and not is_in_claim:
            raise ValueError("quota.url: {claim} needs homes of type claim; say {username}")
        home = self.home.mount_path if self.home else ""
        check_mounts(self.mounts, home, self.claims)
        check_init(self.init, any(mount.directory_mode for mount in self.mounts))
        return self

    def check_shown(self, claims: Mapping[str, ClaimSettings]) -> None:
        """Check that what is to be seen as directories is no raw device.

        Parameters
        ----------
        claims
            The claims, after the profile.

        Raises
        ------
        ValueError
            One is.
        """
        shown = {mount.source.claim for mount in self.mounts if mount.source.type == "claim"}
        if self.home:
            shown.add(self.home.claim)
        if raw := [key for key in sorted(shown & claims.keys()) if claims[key].is_raw]:
            raise ValueError(f"claims.{raw[0]}.volume_mode: a raw device is no home and no mount")

    @property
    def rescue_profile(self) -> str:
        """The slug of the profile in which people make room; empty where there is none."""
        room = self.init.room.rescue_profile if self.init and self.init.room else ""
        return self.quota.rescue_profile if self.quota else room
