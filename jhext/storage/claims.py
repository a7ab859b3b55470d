"""Claims that a person's server needs: what each is called, and what it asks for."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from jhext.units import parse_quantity

from . import labels, names, template
from .settings import ClaimSettings, ClaimSpec, check_size
from .volumes import Object, Owner


@dataclass(frozen=True, slots=True)
class Wanted:
    """A claim that a server needs.

    Parameters
    ----------
    key
        Its key in ``storage.claims``.
    settings
        What is said there, and by the profile.
    manifest
        The claim as it would be created.
    which
        The group or the profile whose it is, where there is one for each.
    older
        Other names that it had before KubeSpawner 7.
    """

    key: str
    settings: ClaimSettings
    manifest: Object
    which: str = ""
    older: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What it is remembered by: the key, and which where there are several."""
        return f"{self.key}/{self.which}" if self.which else self.key

    @property
    def mounted_as(self) -> str:
        """What homes and mounts call it: a server has several groups, and one profile."""
        return self.id if self.settings.per == "group" else self.key

    @property
    def name(self) -> str:
        """The name that the template gives."""
        name: str = self.manifest["metadata"]["name"]
        return name

    @property
    def size(self) -> str:
        """How much it shall hold."""
        size: str = self.manifest["spec"]["resources"]["requests"]["storage"]
        return size

    @property
    def is_personal(self) -> bool:
        """Whether it belongs to one person."""
        return self.settings.per in ("user", "server")

    def named(self, name: str) -> dict[str, Any]:
        """Give the manifest under another name."""
        manifest: dict[str, Any] = copy.deepcopy(dict(self.manifest))
        manifest["metadata"]["name"] = name
        return manifest


def overridden(settings: ClaimSettings, override: Mapping[str, Any]) -> ClaimSettings:
    """Let a profile change what a claim asks for.

    Raises
    ------
    ValueError
        It changes what no profile may, such as the name, or gives an unacceptable value.
    """
    if unknown := set(override) - set(ClaimSpec.model_fields):
        raise ValueError(f"a profile cannot change {', '.join(sorted(unknown))} of a claim")
    said = settings.model_dump(include=settings.model_fields_set)
    try:
        return ClaimSettings.model_validate(said | dict(override))
    except ValidationError as error:
        wrong = error.errors()[0]
        path = ".".join(map(str, wrong["loc"]))
        raise ValueError(f"{path}: {wrong['msg']}") from None


def wanted_of(
    claims: Mapping[str, ClaimSettings], owner: Owner, common: Object
) -> Iterator[Wanted]:
    """Give the claims that a person's server needs.

    Parameters
    ----------
    claims
        What ``storage.claims`` says, after the profile.
    owner
        Whose server it is.
    common
        The labels and annotations that KubeSpawner gives to all its claims.

    Raises
    ------
    ValueError
        What fields make of a size is none.
    """
    for key, settings in claims.items():
        groups = sorted(settings.groups & owner.groups) if settings.per == "group" else [""]
        if settings.per == "profile" and not owner.profile:
            continue
        for group in groups:
            name = names.name_of(settings.name_template(), key, owner, group)
            manifest = _manifest(name, key, settings, owner, group, common)
            older: tuple[str, ...] = ()
            if settings.per in ("user", "server"):
                escaped = names.escaped_name(settings.name_template(), key, owner)
                older = (escaped,) if escaped != name and names.is_name(escaped) else ()
            which = owner.profile if settings.per == "profile" else group
            yield Wanted(key, settings, manifest, which, older)


def _manifest(
    name: str, key: str, settings: ClaimSettings, owner: Owner, group: str, common: Object
) -> dict[str, Any]:
    values = {
        "claim": key,
        "username": names.slug(owner.user),
        "servername": names.slug(owner.server),
        "user_server": names.user_server(owner.user, owner.server),
        "unescaped_username": owner.user,
        "unescaped_servername": owner.server,
        "profile": names.slug(owner.profile),
        "group": names.slug(group),
    }

    def text(value: str) -> str:
        return template.render(value, values)

    def texts(value: Mapping[str, str]) -> dict[str, str]:
        return {name: text(item) for name, item in value.items()}

    size = template.render(settings.size, {"profile": owner.profile, "group": group})
    try:
        check_size(size)
    except ValueError as error:
        raise ValueError(
            f"claims.{key}.size: {settings.size!r} for {owner.user!a}: {error}"
        ) from None
    metadata: dict[str, Any] = {"name": name}
    if settings.per in ("user", "server"):
        marks = labels.personal(key, settings.retention, owner)
    else:
        marks = labels.shared(key, group, owner.profile if settings.per == "profile" else "")
    more = {"labels": texts(settings.labels), "annotations": texts(settings.annotations)}
    for kind in ("labels", "annotations"):
        before = dict(common.get(kind) or {})
        if settings.per not in ("user", "server"):
            before = {name: value for name, value in before.items() if not _names_person(name)}
        metadata[kind] = before | more[kind] | marks[kind]
    spec: dict[str, Any] = {
        "accessModes": list(settings.access_modes),
        "resources": {"requests": {"storage": size}},
        "volumeMode": settings.volume_mode,
    }
    optional = {
        "storageClassName": settings.storage_class,
        "volumeName": settings.volume_name,
        "volumeAttributesClassName": settings.volume_attributes_class,
    }
    spec |= {name: text(value) for name, value in optional.items() if value is not None}
    if settings.selector is not None:
        spec["selector"] = template.mapped(text, settings.selector)
    if source := settings.data_source:
        spec["dataSource"] = {"kind": source.kind, "name": text(source.name)}
        if source.kind == "VolumeSnapshot":
            spec["dataSource"]["apiGroup"] = "snapshot.storage.k8s.io"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": spec,
    }


def _names_person(name: str) -> bool:
    return name in (labels.OWNER, labels.SERVERNAME)


def growth(size: str, claim: Object) -> dict[str, Any] | None:
    """Give the patch by which a claim grows; None where it has that size or cannot grow now.

    Kubernetes takes it only for claims that are bound, and nothing makes a claim smaller.
    """
    requested = claim["spec"]["resources"]["requests"]["storage"]
    if parse_quantity(size) <= parse_quantity(requested):
        return None
    if (claim.get("status") or {}).get("phase") != "Bound":
        return None
    return {"spec": {"resources": {"requests": {"storage": size}}}}
