"""The schema of ``jhext.yaml``: strict, every field documented, secrets only by reference."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from .advice import advise
from .culler.origin import origin_of
from .culler.settings import CullerSettings
from .database import DatabaseSettings
from .identity.settings import IdentitySettings
from .included import Part, parts_of
from .pod.settings import PodSettings
from .profiles.access import DefaultAccess
from .profiles.finding import ConfigurationError, Finding
from .profiles.freeze import freeze
from .profiles.names import parse_names
from .profiles.reading import Reading, content_of
from .references import with_references
from .section import SecretRef, Section
from .storage.home import needs_identity
from .storage.named import STORAGE, fill_in
from .storage.prepare import MAKES
from .storage.settings import StorageSettings

ReloadPolicy = Literal["keep", "fail_closed"]
HubConfig = Annotated[dict[str, dict[str, Any]], AfterValidator(with_references)]
# pydantic puts what it has checked into a new list.
Profiles = Annotated[list[Any], BeforeValidator(freeze), AfterValidator(freeze)]


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
    profile_files: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Files with a section `profiles`, or folders of such files. Read again when "
        "they change; relative to the folder of this file.",
        examples=[["profiles.d"]],
    )
    profile_mapping_files: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Text files with a line `user:profile` for each right. Read again when they "
        "change; relative to the folder of this file.",
        examples=[["/etc/jhext/mappings/users"]],
    )
    reload_policy: ReloadPolicy = Field(
        default="keep",
        description="When profiles change and are faulty: `keep` goes on with those before, "
        "`fail_closed` starts nothing.",
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

    database: DatabaseSettings | None = Field(
        default=None, description="The hub's database; by default c.JupyterHub.db_url."
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^/?#\s]+(/[^?#\s]*)?)?$",
        description="Where people find the hub, with its base_url. The address to which a provider "
        "of logins sends people back follows from it.",
        examples=["https://hub.example.org/"],
    )
    config: HubConfig = Field(
        default_factory=dict,
        description="Everything else that `c` can say, by class and trait. `{env: NAME}` and "
        "`{file: PATH}` stand for secrets, and for names where a trait is a list or a set. What is "
        "set on `c` wins; services, load_roles, load_groups and template_paths are added to it.",
        examples=[
            {
                "JupyterHub": {"authenticator_class": "jhext-github"},
                "Authenticator": {"admin_users": {"file": "/etc/jhext/admins"}},
            }
        ],
    )

    @cached_property
    def traits(self) -> dict[str, Any]:
        """What is written here and is also a trait of the spawner, in the shape of the trait."""
        return {
            name: _for_trait(value)
            for name, value in self
            if name in self.model_fields_set and name not in _NO_TRAITS
        }


_NO_TRAITS = frozenset({"cookie_secret", "crypt_keys", "database", "public_url", "config"})


def _for_trait(value: Any) -> Any:
    if isinstance(value, frozenset):
        return set(value)
    return list(value) if isinstance(value, tuple) else value


_PATHS = frozenset({"profile_files", "profile_mapping_files"})
_SOURCE_PATHS = frozenset({"passwd", "group", "path", "ca_file"})


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
    culler: CullerSettings | None = Field(
        default=None, description="How long servers may run. Without it, nothing is stopped."
    )
    storage: StorageSettings | None = Field(
        default=None,
        description="Where people's files are. Without it, claims are KubeSpawner's own.",
    )
    hub: HubSettings = Field(default_factory=HubSettings, description="The hub itself.")
    include: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Files with more sections, relative to the folder of this one. A section "
        "stands in one file only.",
        examples=[["identity.yaml", "/run/secrets/hub.yaml"]],
    )

    _file: str = PrivateAttr("")
    _files: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _gives_directories_away(self) -> Settings:
        init = self.storage.init if self.storage else None
        if init is not None and init.create == "chown":
            if self.identity is None or self.identity.mode != "user":
                raise ValueError("storage.init.create: chown needs to know uids: section identity")
            if MAKES not in self.pod.privileged_containers:
                raise ValueError(
                    f"storage.init.create: chown needs pod.privileged_containers: [{MAKES}]"
                )
        return self

    @model_validator(mode="after")
    def _homes_of_the_known(self) -> Settings:
        home = self.storage.home if self.storage else None
        knows_ids = self.identity is not None and self.identity.mode == "user"
        if home is not None and needs_identity(home) and not knows_ids:
            raise ValueError("storage.home: its fields need the section identity, in mode user")
        mounts = self.storage.mounts if self.storage else ()
        if any(mount.act_as for mount in mounts) and not knows_ids:
            raise ValueError("storage.mounts: projects need the section identity, in mode user")
        return self

    @model_validator(mode="after")
    def _token_of_the_known(self) -> Settings:
        if self.pod.token is not None and self.identity is None:
            raise ValueError("pod.token: needs the section identity, which checks the pod")
        return self

    @property
    def file(self) -> str:
        """The path of the file that was read; empty where it was none."""
        return self._file

    def file_of(self, section: str) -> str:
        """Give the path of the file that a section stands in; empty where it is in none."""
        return self._files.get(section, "")

    @cached_property
    def traits(self) -> dict[str, Any]:
        """What the settings say of the spawner's traits; the traits themselves win."""
        return self.hub.traits | (self.pod.traits if self.identity else {})

    @cached_property
    def origin(self) -> str:
        """What tells a culler elsewhere whether it reads the same rights; empty if none can."""
        return origin_of(self)

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
    parts = parts_of(source, Settings.model_fields)
    raw = {key: v for part in parts for key, v in _read_part(part).items()}
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise ConfigurationError(_finding(parts, item) for item in error.errors()) from None
    settings._file = parts[0].file
    settings._files = {key: part.file for part in parts for key in part.document.value}
    return settings


def _read_part(part: Part) -> dict[str, Any]:
    """Give the sections of a part, with all that is written relative to its own folder."""
    sections = _beside(part.file, part.document.value)
    if STORAGE in sections:
        sections[STORAGE], found = fill_in(part, _names)
        if found:
            raise ConfigurationError(found)
    return sections


def _names(path: Path) -> list[str]:
    return parse_names(content_of(path, Reading()), str(path))


def _beside(file: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Find the files that settings name relative to the folder of their own file."""
    result = dict(raw)
    if not file:
        return result
    folder = Path(file).parent
    if isinstance(hub := raw.get("hub"), Mapping):
        result["hub"] = {
            key: [_path(folder, name) for name in value]
            if key in _PATHS and isinstance(value, list)
            else value
            for key, value in hub.items()
        }
    if isinstance(identity := raw.get("identity"), Mapping):
        sources = identity.get("sources")
        if isinstance(sources, list):
            result["identity"] = {**identity, "sources": [_source(folder, s) for s in sources]}
    return result


def _source(folder: Path, source: Any) -> Any:
    if not isinstance(source, Mapping):
        return source
    return {
        key: _path(folder, value) if key in _SOURCE_PATHS else value
        for key, value in source.items()
    }


def _path(folder: Path, name: Any) -> Any:
    return str(folder / name) if isinstance(name, str) else name


def _finding(parts: list[Part], error: Any) -> Finding:
    keys, message, suggestion = advise(error, Settings)
    found = (part for part in parts if keys and keys[0] in part.document.value)
    return next(found, parts[0]).finding(keys, message, suggestion)
