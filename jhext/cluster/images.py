"""Images that are pulled before anybody waits for them, on the nodes where servers will be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..offline.configuration import Configuration
from ..profiles.freeze import thaw
from ..profiles.model import Profile
from .features import as_list, overrides_of, values_of

Manifest = dict[str, Any]
PAUSE = "registry.k8s.io/pause:3.10"
COMPONENT = "jhext-prepull"
LATEST = "latest"
"""The tag of an image that is named without one."""
_PLACING = ("node_selector", "tolerations", "node_affinity_required", "image_pull_secrets")
_UNPRIVILEGED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
_NOBODY: Mapping[str, Any] = {"runAsUser": 65534, "runAsGroup": 65534}
_SMALL = {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}}


@dataclass(frozen=True)
class Images:
    """What is pulled on the nodes of one kind.

    Parameters
    ----------
    placement
        The traits of KubeSpawner that say which nodes these are, and by which secrets they pull.
    images
        The images, in the order in which they are pulled.
    """

    placement: Mapping[str, Any]
    images: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """The images of a configuration.

    Parameters
    ----------
    groups
        What is pulled, for each kind of node.
    unknown
        What is not known before somebody starts it, in words.
    ids
        What those who pull run as; empty where the platform assigns ids and refuses others.
    """

    groups: tuple[Images, ...]
    unknown: tuple[str, ...]
    ids: Mapping[str, Any]


def images_of(configuration: Configuration, extra: Iterable[str] = ()) -> Found:
    """Find the images of all profiles and choices, whoever may start them.

    Parameters
    ----------
    configuration
        The configuration.
    extra
        More images, for the nodes of all kinds.
    """
    base = {name: configuration.trait(name) for name in ("image", *_PLACING)}
    profiles = configuration.version.catalog.profiles
    starts = [start for profile in profiles for start in _starts(profile, base)] or [base]
    unknown: list[str] = []
    groups: dict[str, tuple[Mapping[str, Any], dict[str, None]]] = {}
    for start in starts:
        image, placement = start["image"], {name: start[name] for name in _PLACING}
        if functions := [name for name, value in start.items() if callable(value)]:
            unknown.append(f"what functions give for each person: {', '.join(sorted(functions))}")
        elif "{" in image:
            unknown.append(f"{image}, which depends on the person")
        else:
            groups.setdefault(_key(placement), (placement, {}))[1].setdefault(image)
    also = dict.fromkeys([*_beside(configuration), *extra])
    found = (Images(placement, tuple(images | also)) for placement, images in groups.values())
    identity = configuration.settings.identity
    ids = {} if identity and identity.mode == "platform" else _NOBODY
    return Found(tuple(found), tuple(dict.fromkeys(unknown)), ids)


def _starts(profile: Profile, base: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Combine each image that a profile can have with each of its placements."""
    own, *choices = overrides_of(profile)
    first = _overridden(base, own)
    variants = [first, *(_overridden(first, overrides) for overrides in choices)]
    images = dict.fromkeys(choice["image"] for choice in choices if "image" in choice)
    if not _chooses_image(profile):
        images = {first["image"]: None} | images
    placements = {_key(each): each for each in variants}
    for image in images:
        for placement in placements.values():
            yield {**placement, "image": image}


def _chooses_image(profile: Profile) -> bool:
    """Whether every start of a profile has the image of one of its choices."""
    return any(
        option.choices and all("image" in c.kubespawner_override for c in option.choices.values())
        for option in profile.profile_options.values()
        if not option.optional
    )


def _key(traits: Mapping[str, Any]) -> str:
    return json.dumps({name: traits[name] for name in _PLACING}, sort_keys=True, default=str)


def _overridden(traits: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Apply overrides as KubeSpawner does: dicts are merged, and None takes a key out."""
    result = dict(traits)
    for name in traits.keys() & overrides.keys():
        before, value = result[name], overrides[name]
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            merged = {**before, **value}
            value = {key: item for key, item in merged.items() if item is not None}
        result[name] = value
    return result


def _beside(configuration: Configuration) -> Iterator[str]:
    """Give the images of containers that pods have besides the person's."""
    for trait in ("init_containers", "extra_containers"):
        for value in values_of(configuration, trait):
            for container in [] if callable(value) else as_list(value):
                image = (
                    container.get("image") if isinstance(container, Mapping) else container.image
                )
                if isinstance(image, str) and "{" not in image:
                    yield image
    storage = configuration.settings.storage
    if storage and storage.init and storage.init.image:
        yield storage.init.image


def manifests(found: Found, namespace: str = "", pause: str = PAUSE) -> Iterator[Manifest]:
    """Give a DaemonSet for each kind of node. It asks for no right and runs as nobody.

    Parameters
    ----------
    found
        What is pulled where.
    namespace
        Where it is; where it is empty, whoever applies it says where.
    pause
        The image of the container that stays, so that the others count as used.
    """
    for number, group in enumerate(found.groups, 1):
        name = f"{COMPONENT}-{number}"
        labels = {"app.kubernetes.io/name": COMPONENT, "app.kubernetes.io/instance": name}
        yield {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {
                "name": name,
                **({"namespace": namespace} if namespace else {}),
                "labels": labels,
            },
            "spec": {
                "selector": {"matchLabels": labels},
                "updateStrategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxUnavailable": "100%"},
                },
                "template": {"metadata": {"labels": labels}, "spec": _pod(group, pause, found.ids)},
            },
        }


def chart_values(groups: Iterable[Images]) -> Manifest:
    """Give the values by which the Zero to JupyterHub chart pulls all of them on all its nodes.

    Parameters
    ----------
    groups
        What is pulled; the chart has one list for all nodes.
    """
    images = dict.fromkeys(image for group in groups for image in group.images)
    named = {f"jhext-{number}": _name_and_tag(image) for number, image in enumerate(images, 1)}
    return {"prePuller": {"extraImages": named}}


def _name_and_tag(image: str) -> dict[str, str]:
    """Divide an image as the chart puts it together, which is with a colon; a digest, too."""
    name, _, tag = image.rpartition(":")
    # A colon before a slash is that of a port.
    return {"name": name, "tag": tag} if name and "/" not in tag else {"name": image, "tag": LATEST}


def _pod(group: Images, pause: str, ids: Mapping[str, Any]) -> Manifest:
    placement = thaw(group.placement)
    spec: Manifest = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "initContainers": [
            _container(f"image-{number}", image, ids) | {"command": ["/bin/sh", "-c", "exit 0"]}
            for number, image in enumerate(group.images, 1)
        ],
        "containers": [_container("pause", pause, ids)],
    }
    if placement["node_selector"]:
        spec["nodeSelector"] = placement["node_selector"]
    if tolerations := as_list(placement["tolerations"]):
        spec["tolerations"] = tolerations
    if terms := as_list(placement["node_affinity_required"]):
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
        spec["affinity"] = {"nodeAffinity": required}
    if secrets := as_list(placement["image_pull_secrets"]):
        spec["imagePullSecrets"] = [
            {"name": secret} if isinstance(secret, str) else secret for secret in secrets
        ]
    return spec


def _container(name: str, image: str, ids: Mapping[str, Any]) -> Manifest:
    context = {"runAsNonRoot": True, **ids, **_UNPRIVILEGED}
    return {"name": name, "image": image, "securityContext": context, "resources": _SMALL}
