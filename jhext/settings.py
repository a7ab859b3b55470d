"""The schema of ``jhext.yaml``: strict, every field documented, secrets only by reference."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from .identity.settings import IdentitySettings
from .pod.settings import PodSettings
from .profiles.access import DefaultAccess
from .profiles.finding import ConfigurationError, Finding
from .profiles.freeze import freeze
from .section import SecretRef, Section, fields_at
from .yamlfile import read_yaml

Profiles = Annotated[list[Any], BeforeValidator(freeze)]


class HubSettings(Section):
    """The section ``hub``: what concerns the hub itself. A change waits for a restart."""

    default_access: DefaultAccess = Field(
        default="deny", description="Who may start a profile without an allowing rule."
    )
    admin_bypass: bool = Field(
        default=False, description="Whether admins may start what no rule blocks them from."
    )
    claims_key: str = Field(
        default="",
        description="The dict in auth_state that rules see as claims.",
        examples=["oauth_user"],
    )
    allowed_sensitive_overrides: frozenset[str] = Field(
        default=frozenset(),
        strict=False,
        description="Traits that profiles may set although they can widen rights.",
        examples=[["service_account"]],
    )
    extra_profile_keys: frozenset[str] = Field(
        default=frozenset(),
        strict=False,
        description="Keys of profiles that a custom form template reads.",
    )
    extra_user_options: frozenset[str] = Field(
        default=frozenset(),
        strict=False,
        description="Keys of user_options that other code of yours reads.",
    )
    cookie_secret: SecretRef | None = Field(
        default=None,
        description="What the hub signs its cookies with: 32 bytes in hexadecimal.",
        examples=[{"file": "/run/secrets/cookie_secret"}],
    )
    crypt_keys: tuple[SecretRef, ...] = Field(
        default=(),
        strict=False,
        description="What auth_state is encrypted with: the first key encrypts, all decrypt.",
        examples=[[{"env": "JHEXT_CRYPT_KEY"}]],
    )

    @cached_property
    def traits(self) -> dict[str, Any]:
        """What is written here and is also a trait of the spawner, in the shape of the trait."""
        return {
            name: set(value) if isinstance(value, frozenset) else value
            for name, value in self
            if name in self.model_fields_set and name not in ("cookie_secret", "crypt_keys")
        }


class Settings(Section):
    """Everything that ``jhext.configure`` reads."""

    profiles: Profiles = Field(
        default_factory=list,
        description="What can be started: KubeSpawner's profile_list with access rules.",
    )
    identity: IdentitySettings | None = Field(
        default=None,
        description="Who people are on the file system. Without it, pods are KubeSpawner's own.",
    )
    pod: PodSettings = Field(
        default_factory=PodSettings, description="What the pods of people with identities may do."
    )
    hub: HubSettings = Field(default_factory=HubSettings, description="The hub itself.")

    @property
    def has_profiles(self) -> bool:
        """Whether profiles are written, be it an empty list: then nothing can be started."""
        return "profiles" in self.model_fields_set


def load_settings(source: str | Path | Mapping[str, Any]) -> Settings:
    """Read the settings from a file or take them from a dict.

    Raises
    ------
    ConfigurationError
        Something is wrong; everything that is wrong is told at once.
    """
    if isinstance(source, Mapping):
        where, raw = "settings", source
    else:
        where, raw = str(source), read_yaml(Path(source))
    if not isinstance(raw, Mapping):
        problem = f"must be a mapping of sections, not {type(raw).__name__}"
        raise ConfigurationError([Finding("error", where, "", problem)])
    try:
        return Settings.model_validate(dict(raw))
    except ValidationError as error:
        raise ConfigurationError(_finding(where, item) for item in error.errors()) from None


def _finding(where: str, error: Any) -> Finding:
    location = [str(key) for key in error["loc"]]
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(location[-1], fields_at(Settings, location[:-1]), 1)
        message = "unknown key" + (f"; did you mean {close[0]!r}?" if close else "")
    return Finding("error", where, ".".join(location), message)
