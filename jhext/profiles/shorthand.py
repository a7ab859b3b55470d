"""Keys of a profile that are short for overrides.

Each says what ``kubespawner_override`` can say as well, and nothing else. To say the same thing in
both ways is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from ..advice import advise
from .amounts import seconds
from .finding import Finding
from .freeze import freeze
from .written import Written

OVERRIDE = "kubespawner_override"

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

Seconds = Annotated[
    int,
    BeforeValidator(seconds),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]}),
]
Objects = list[dict[str, Any]]
"""Objects in Kubernetes' own shape, which Kubernetes checks."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NodeSelector(_Strict):
    """Kubernetes' NodeSelector."""

    node_selector_terms: Objects = Field(alias="nodeSelectorTerms")


class NodeAffinity(_Strict):
    """Kubernetes' NodeAffinity."""

    required: NodeSelector | None = Field(default=None, alias=_REQUIRED)
    preferred: Objects = Field(default=[], alias=_PREFERRED)


class PodAffinity(_Strict):
    """Kubernetes' PodAffinity and PodAntiAffinity."""

    required: Objects = Field(default=[], alias=_REQUIRED)
    preferred: Objects = Field(default=[], alias=_PREFERRED)


class Affinity(_Strict):
    """Kubernetes' Affinity."""

    node_affinity: NodeAffinity | None = Field(default=None, alias="nodeAffinity")
    pod_affinity: PodAffinity | None = Field(default=None, alias="podAffinity")
    pod_anti_affinity: PodAffinity | None = Field(default=None, alias="podAntiAffinity")


class Node(_Strict):
    """Where a server may run."""

    selector: dict[str, str] = Field(
        default={}, description="Labels that a node must have.", examples=[{"pool": "gpu"}]
    )
    tolerations: Objects = Field(
        default=[],
        description="Taints that do not keep the server away.",
        examples=[[{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]],
    )
    affinity: Affinity | None = Field(
        default=None, description="Nodes and neighbours that it likes, as Kubernetes writes it."
    )
    priority_class: str = Field(default="", description="Its PriorityClass.", examples=["course"])
    scheduler: str = Field(default="", description="The scheduler that finds its node.")


class Shorthand(_Strict):
    """The keys of a profile that are short for overrides."""

    start_timeout: Seconds | None = Field(
        default=None, description="How long a server may take to start.", examples=["10m"]
    )
    http_timeout: Seconds | None = Field(
        default=None, description="How long it may then take to answer.", examples=["30s"]
    )
    default_url: str | None = Field(
        default=None, description="The page people come to.", examples=["/lab/tree/README.md"]
    )
    environment: dict[str, Any] = Field(
        default={},
        description="Environment variables.",
        examples=[{"OMP_NUM_THREADS": "4"}],
        json_schema_extra={"additionalProperties": {"type": ["string", "object", "null"]}},
    )
    node: Node | None = Field(default=None, description="Where a server may run.")


KEYS = frozenset(Shorthand.model_fields)

_MEANS: Mapping[tuple[str, ...], str] = {
    ("start_timeout",): "start_timeout",
    ("http_timeout",): "http_timeout",
    ("default_url",): "default_url",
    ("environment",): "environment",
    ("node", "selector"): "node_selector",
    ("node", "tolerations"): "tolerations",
    ("node", "priority_class"): "priority_class_name",
    ("node", "scheduler"): "scheduler_name",
    ("node", "affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms"): "node_affinity_required",
    ("node", "affinity", "nodeAffinity", _PREFERRED): "node_affinity_preferred",
    ("node", "affinity", "podAffinity", _REQUIRED): "pod_affinity_required",
    ("node", "affinity", "podAffinity", _PREFERRED): "pod_affinity_preferred",
    ("node", "affinity", "podAntiAffinity", _REQUIRED): "pod_anti_affinity_required",
    ("node", "affinity", "podAntiAffinity", _PREFERRED): "pod_anti_affinity_preferred",
}
"""The trait that each is short for."""


def write_out(written: Written) -> tuple[Written, list[Finding]]:
    """Put overrides in the place of the keys that are short for them.

    Returns
    -------
    tuple
        The profile without these keys, and what is wrong with them.
    """
    value = written.value
    if not isinstance(value, Mapping) or KEYS.isdisjoint(value):
        return written, []
    short = {key: value[key] for key in KEYS & value.keys()}
    try:
        Shorthand.model_validate(short)
    except ValidationError as error:
        return written, [_finding(written, item) for item in error.errors()]
    overrides = value.get(OVERRIDE, {})
    if not isinstance(overrides, Mapping):
        message = f"must be a mapping, not {type(overrides).__name__}"
        return written, [written.error(OVERRIDE, message, "write {mem_limit: 2G} and the like")]
    merged, places = dict(overrides), dict(written.places)
    found = []
    for path, trait in _MEANS.items():
        if (meant := _at(short, path)) is None:
            continue
        if problem := _conflict(overrides, trait, meant):
            suggestion = "write it in one of the two places"
            found.append(written.error(".".join(path), problem, suggestion))
        before = overrides.get(trait)
        merged[trait] = {**before, **meant} if isinstance(before, Mapping) else meant
        places |= {
            (OVERRIDE, trait, *here[len(path) :]): place
            for here, place in written.places.items()
            if here[: len(path)] == path
        }
    rest = {key: item for key, item in value.items() if key not in KEYS}
    return replace(written, value=freeze({**rest, OVERRIDE: merged}), places=places), found


def _finding(written: Written, error: Any) -> Finding:
    keys, message, suggestion = advise(error, Shorthand)
    return written.error(".".join(map(str, keys)), message, suggestion)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _conflict(overrides: Mapping[str, Any], trait: str, meant: Any) -> str | None:
    if trait not in overrides:
        return None
    before, twice = overrides[trait], trait
    if isinstance(before, Mapping) and isinstance(meant, Mapping):
        twice = ", ".join(sorted(map(str, before.keys() & meant.keys())))
    return f"{OVERRIDE} says {twice} too" if twice else None
