"""Open Data Hub's singleuser-profiles: overlays by image and by person, sizes, and GPUs.

There a server is an image, a size and a number of GPUs, and every overlay that fits the image and
the person is laid upon it. Here each set of people with the same overlays has one profile, in
which image, size and GPUs are options.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from slugify import slugify

from .imported import Imported, Notes, listed, mapping, unreadable
from .odh_overlay import gpus, override, resources, tolerations

DATA_KEY = "jupyterhub-singleuser-profiles.yaml"
FIRST = "jupyter-singleuser-profiles"
"""The ConfigMap that is read before all others, which follow in the order of their names."""


def convert(documents: Sequence[Mapping[str, Any]]) -> Imported:
    """Convert ConfigMaps, or what their key `DATA_KEY` holds.

    Raises
    ------
    ConfigurationError
        There are no profiles and no sizes in them, or they have another shape.
    """
    parts = [_part(document) for document in sorted(documents, key=_order)]
    overlays = [item for part in parts for item in _items(part, "profiles")]
    sizes = [item for part in parts for item in _items(part, "sizes")]
    gpu_types = [item for part in parts for item in _items(part, "gpuTypes")]
    if not overlays and not sizes:
        raise unreadable("profiles", "there are neither profiles nor sizes here")
    ui: dict[str, Any] = {}
    for part in parts:
        ui |= mapping(part.get("ui"), "ui")
    notes = Notes()
    converted = [_Overlay.read(item, notes) for item in overlays]
    common = _size_option(sizes, ui, notes) | _gpu_option(gpu_types, ui)
    offered = _Images(mapping(ui.get("imageConfig"), "ui.imageConfig"))
    named = _everyone_named(converted)
    profiles = [
        _profile(people, [converted[n] for n in chosen], offered, common, named)
        for chosen, people in _sets_of_people(converted, named)
    ]
    _note_the_rest(converted, ui, notes)
    return Imported({"profiles": profiles}, tuple(notes.found))


def _order(document: Mapping[str, Any]) -> tuple[bool, str]:
    name = str(mapping(document.get("metadata"), "metadata").get("name", ""))
    return name != FIRST, name


def _part(document: Mapping[str, Any]) -> Mapping[str, Any]:
    data = mapping(document.get("data"), "data")
    if DATA_KEY not in data:
        return document
    try:
        return mapping(yaml.safe_load(data[DATA_KEY]), f"data.{DATA_KEY}")
    except yaml.YAMLError as error:
        raise unreadable(f"data.{DATA_KEY}", str(error)) from None


def _items(part: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [mapping(item, key) for item in listed(part.get(key), key)]


@dataclass(frozen=True)
class _Overlay:
    name: str
    images: tuple[str, ...]
    users: frozenset[str]
    override: Mapping[str, Any]

    @classmethod
    def read(cls, raw: Mapping[str, Any], notes: Notes) -> _Overlay:
        name = str(raw.get("name", ""))
        users = frozenset(map(str, listed(raw.get("users"), f"profile {name!r}: users")))
        return cls(
            name,
            tuple(map(str, listed(raw.get("images"), f"profile {name!r}: images"))),
            frozenset() if "*" in users else users,
            override(raw, notes),
        )


def _everyone_named(overlays: Iterable[_Overlay]) -> list[str]:
    return sorted(frozenset[str]().union(*(overlay.users for overlay in overlays)))


def _sets_of_people(
    overlays: Sequence[_Overlay], named: Sequence[str]
) -> list[tuple[tuple[int, ...], list[str]]]:
    """Tell which overlays hold for whom; nobody in particular comes first."""
    sets: dict[tuple[int, ...], list[str]] = {}
    for user in ["", *named]:
        held = (n for n, item in enumerate(overlays) if not item.users or user in item.users)
        sets.setdefault(tuple(held), []).append(user)
    return [(held, [user for user in people if user]) for held, people in sets.items()]


@dataclass(frozen=True)
class _Images:
    """Which images are offered."""

    config: Mapping[str, Any]

    def __contains__(self, image: str) -> bool:
        allowed = listed(self.config.get("whitelist"), "ui.imageConfig.whitelist")
        return image not in listed(self.config.get("blacklist"), "ui.imageConfig.blacklist") and (
            not allowed or image in allowed
        )


def _profile(
    people: list[str],
    overlays: Sequence[_Overlay],
    offered: _Images,
    common: Mapping[str, Any],
    named: list[str],
) -> dict[str, Any]:
    own = [overlay.name for overlay in overlays if overlay.users]
    name = f"Notebook ({', '.join(own)})" if own else "Notebook"
    profile: dict[str, Any] = {"display_name": name, "slug": slugify(name)}
    if people:
        profile["allowed_users"] = people
    else:
        profile["allow_all"] = True
        if named:
            profile["blocked_users"] = named
    if base := _merged(overlay.override for overlay in overlays if not overlay.images):
        profile["kubespawner_override"] = base
    images = dict.fromkeys(image for overlay in overlays for image in overlay.images)
    choices = {
        slugify(image): {
            "display_name": image,
            "kubespawner_override": _merged(
                [{"image": image}, *(item.override for item in overlays if image in item.images)]
            ),
        }
        for image in images
        if image in offered
    }
    options = {"image": {"display_name": "Image", "choices": choices}} if choices else {}
    if options or common:
        profile["profile_options"] = {**options, **common}
    return profile


def _merged(overrides: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for item in overrides:
        for trait, value in item.items():
            merges = isinstance(value, Mapping) and isinstance(result.get(trait), Mapping)
            result[trait] = {**result[trait], **value} if merges else value
    return result


def _size_option(
    sizes: Sequence[Mapping[str, Any]], ui: Mapping[str, Any], notes: Notes
) -> dict[str, Any]:
    if not sizes or _is_off(ui, "sizeConfig"):
        return {}
    choices: dict[str, Any] = {"default": {"display_name": "Default"}}
    for size in sizes:
        name = str(size.get("name"))
        found = resources(size.get("resources"), f"size {name!r}", notes)
        choices[slugify(name)] = {"display_name": name, "kubespawner_override": found}
    return {"size": {"display_name": "Size", "choices": choices}}


def _gpu_option(gpu_types: Iterable[Mapping[str, Any]], ui: Mapping[str, Any]) -> dict[str, Any]:
    counts = _gpu_counts(mapping(ui.get("gpuConfig"), "ui.gpuConfig"))
    if not counts or _is_off(ui, "gpuConfig"):
        return {}
    tolerated: dict[str, Any] = {}
    for gpu_type in gpu_types:
        tolerated |= tolerations(gpu_type.get("node_tolerations"), "gpuTypes")
    choices: dict[str, Any] = {"none": {"display_name": "None"}}
    for count in counts:
        asked = gpus(str(count)) | ({"tolerations": tolerated} if tolerated else {})
        choices[str(count)] = {"display_name": str(count), "kubespawner_override": asked}
    return {"gpus": {"display_name": "GPUs", "choices": choices}}


def _gpu_counts(config: Mapping[str, Any]) -> Sequence[int]:
    def numbers(key: str) -> Mapping[str, Any]:
        return mapping(config.get(key), f"ui.gpuConfig.{key}")

    try:
        match config.get("type"):
            case "checkbox":
                return [int(numbers("gpuCheckbox").get("value", 1))]
            case "input":
                return range(1, int(numbers("gpuInput").get("limit", 0)) + 1)
            case "dropdown":
                dropdown = numbers("gpuDropdown")
                ends = mapping(dropdown.get("range", dropdown), "ui.gpuConfig.gpuDropdown.range")
                return range(max(1, int(ends.get("start", 1))), int(ends.get("end", 0)) + 1)
    except (TypeError, ValueError):
        raise unreadable("ui.gpuConfig", "a number is expected here") from None
    return ()


def _is_off(ui: Mapping[str, Any], key: str) -> bool:
    return mapping(ui.get(key), f"ui.{key}").get("enabled") is False


def _note_the_rest(overlays: Iterable[_Overlay], ui: Mapping[str, Any], notes: Notes) -> None:
    if any(overlay.images for overlay in overlays):
        message = "Open Data Hub offers every ImageStream; only images named here became choices"
        suggestion = "add the others as choices"
    else:
        message = "images come from ImageStreams, which are not here"
        suggestion = "set c.KubeSpawner.image or write an option"
    notes.add("images", "", message, suggestion)
    if ui.get("envVarConfig"):
        message, suggestion = "people cannot add variables of their own", "write options for them"
        notes.add("ui", "envVarConfig", message, suggestion)
    if "gpuConfig" not in ui:
        message, suggestion = "is not here: there is no choice of GPUs", "write an option if needed"
        notes.add("ui", "gpuConfig", message, suggestion)
