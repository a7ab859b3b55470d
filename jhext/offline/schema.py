"""The JSON Schema of ``jhext.yaml``, for editors: from the models and from KubeSpawner's traits."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

from jupyterhub.traitlets import ByteSpecification, Command
from jupyterhub.traitlets import Callable as HubCallable
from pydantic import Field
from pydantic.json_schema import GenerateJsonSchema
from traitlets import Any as AnyTrait
from traitlets import Bool, Callable, Dict, Enum, Float, Int, List, Set, TraitType, Unicode, Union

from ..profiles.amounts import AMOUNTS
from ..profiles.overriding import TEXTS
from ..profiles.schema import WrittenProfile
from ..settings import Settings
from ..spawner import ProfileKubeSpawner
from ..upstream import overridable_traits

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_OVERRIDES = "Overrides"
_REF = f"#/$defs/{_OVERRIDES}"
_FREE_TEXT_OVERRIDES = "FreeTextOverrides"
_PLACEHOLDER = {"type": "string", "pattern": r"\{value\}"}
_CALLABLE = (Callable, HubCallable)
"""What nobody can write in YAML."""
_TYPES: tuple[tuple[tuple[type[TraitType[Any, Any]], ...], dict[str, Any]], ...] = (
    ((ByteSpecification,), {"type": ["integer", "string"]}),
    ((Command,), {"type": ["array", "string"]}),
    ((Bool,), {"type": "boolean"}),
    ((Int,), {"type": "integer"}),
    ((Float,), {"type": "number"}),
    ((Unicode,), {"type": "string"}),
    ((List, Set), {"type": "array"}),
    ((Dict,), {"type": "object"}),
    ((AnyTrait,), {}),
)
"""The first kind that a trait is decides."""


def schema() -> dict[str, Any]:
    """Make the schema of everything that may stand in a ``jhext.yaml``."""
    made = _Document.model_json_schema(schema_generator=_WithoutTitles)
    definitions = made.pop("$defs")
    for name, definition in definitions.items():
        definition.pop("title", None)  # an editor would show the name of a class
        if "kubespawner_override" in definition.get("properties", {}):
            free_text = name == "UnlistedChoice"
            described = definition["properties"]["kubespawner_override"]["description"]
            definition["properties"]["kubespawner_override"] = {
                "description": described,
                "$ref": f"#/$defs/{_FREE_TEXT_OVERRIDES if free_text else _OVERRIDES}",
            }
    traits = {
        name: _described(trait, _narrowed(name, _of_trait(trait)))
        for name, trait in sorted(overridable_traits(ProfileKubeSpawner).traits.items())
        if not isinstance(trait, _CALLABLE)
    }
    definitions[_OVERRIDES] = _overrides(traits)
    definitions[_FREE_TEXT_OVERRIDES] = _overrides(
        {name: {"anyOf": [_PLACEHOLDER, {"$ref": f"{_REF}/properties/{name}"}]} for name in traits}
    )
    named = {"title": "jhext.yaml", "description": "Everything that jhext.configure reads."}
    return {"$schema": DRAFT, **made, **named, "$defs": definitions}


class _Document(Settings):
    """The settings, with profiles as operators may write them."""

    profiles: list[WrittenProfile] = Field(
        default=[], description=Settings.model_fields["profiles"].description
    )


class _WithoutTitles(GenerateJsonSchema):
    """Does not repeat the name of each field as its title."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _overrides(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": "KubeSpawner's traits and their values.",
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
    }


def _described(trait: TraitType[Any, Any], of_type: dict[str, Any]) -> dict[str, Any]:
    """Add what is said about a trait, up to the first empty line."""
    text = " ".join(cleandoc(str(trait.help)).partition("\n\n")[0].split())
    return {"description": text, **of_type} if text else of_type


def _narrowed(name: str, of_type: dict[str, Any]) -> dict[str, Any]:
    """Say more of a trait than its type does."""
    if name in TEXTS and of_type.get("type") == "object":
        return {**of_type, "additionalProperties": {"type": ["string", "object", "null"]}}
    return {"type": ["number", "string", "null"]} if name in AMOUNTS else of_type


def _of_trait(trait: TraitType[Any, Any]) -> dict[str, Any]:
    if isinstance(trait, Union):
        kinds = [
            _of_trait(inner) for inner in trait.trait_types if not isinstance(inner, _CALLABLE)
        ]
    elif isinstance(trait, Enum):
        kinds = [{"enum": list(trait.values or ())}]
    else:
        found = (kind for types, kind in _TYPES if isinstance(trait, types))
        kinds = [next(found, {})]
    if trait.allow_none and {} not in kinds:
        kinds.append({"type": "null"})
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
