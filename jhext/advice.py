"""What to do about a value that a model of the settings refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from inspect import isclass
from typing import Any, NamedTuple, get_args

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .profiles.finding import FaultyError, did_you_mean

_QUOTED = re.compile(r"'([^']*)'")
_KEYS = re.compile(r"([a-z_]+(?:\.[a-z_]+)*): ")

_LISTS = ("list_type", "tuple_type", "set_type", "frozen_set_type")
_MAPPINGS = ("dict_type", "mapping_type", "model_type", "model_attributes_type")
_IS: Mapping[str, str] = {
    **dict.fromkeys(_LISTS, "must be a list"),
    **dict.fromkeys(_MAPPINGS, "must be a mapping"),
}
"""What pydantic says in words of Python, in those of YAML; by the type of its error."""

_WRITE: Mapping[str, str] = {
    "bool_type": "write true or false, without quotes",
    "int_type": "write a whole number, without quotes",
    "float_type": "write a number, without quotes",
    "string_type": "write text; put it in quotes where YAML reads it otherwise",
    **dict.fromkeys(_LISTS, "write a list: [one, two]"),
    **dict.fromkeys(_MAPPINGS, "write a mapping, such as key: value"),
    "greater_than": "write a number above {gt}",
    "greater_than_equal": "write {ge} or more",
    "less_than": "write a number below {lt}",
    "less_than_equal": "write {le} or less",
    "too_short": "write {min_length} or more",
    "too_long": "write {max_length} or fewer",
    "string_too_short": "write {min_length} or more characters",
    "string_too_long": "write {max_length} or fewer characters",
    "string_pattern_mismatch": "write what the regular expression {pattern} matches",
}
"""By the type of pydantic's error, with what is in its context."""


class Advice(NamedTuple):
    """What to do about a value.

    Parameters
    ----------
    keys
        The keys that lead to it.
    message
        What is wrong.
    suggestion
        What to do.
    """

    keys: tuple[Any, ...]
    message: str
    suggestion: str


def advise(error: Mapping[str, Any], model: type[BaseModel]) -> Advice:
    """Say what is wrong, and what to do about it. No value that was written is repeated.

    Parameters
    ----------
    error
        An item of pydantic's ``ValidationError.errors()``.
    model
        The model that was validated.
    """
    # pydantic marks a key that is wrong itself.
    keys = tuple(key for key in error["loc"] if key != "[key]")
    message = str(error["msg"]).removeprefix("Value error, ")
    # What holds between several keys is told where they meet, and says which one it means.
    if (meant := _KEYS.match(message)) and meant[1].split(".")[0] in fields_at(model, _text(keys)):
        keys, message = (*keys, *meant[1].split(".")), message[meant.end() :]
    return Advice(keys, *_advise({**error, "msg": message, "loc": keys}, model))


def _text(keys: Sequence[Any]) -> list[str]:
    return [str(key) for key in keys]


def _advise(error: Mapping[str, Any], model: type[BaseModel]) -> tuple[str, str]:
    context, location = error.get("ctx", {}), _text(error["loc"])
    cause = context.get("error")
    if isinstance(cause, FaultyError):
        return cause.message, cause.suggestion
    kind = error["type"]
    message = _IS.get(kind, error["msg"])
    if kind == "extra_forbidden":
        known = fields_at(model, location[:-1])
        return "unknown key", did_you_mean(location[-1], known, _one_of("take it out", known))
    if kind == "missing":
        return "is missing", _documented(model, location, "write it")
    if kind in ("literal_error", "union_tag_invalid"):
        known = _QUOTED.findall(str(context.get("expected", context.get("expected_tags", ""))))
        written = str(context.get("tag", error.get("input", "")))
        return message, did_you_mean(written, known, _one_of("write one", known))
    if kind == "union_tag_not_found":
        return message, f"write the key {context['discriminator']}"
    return message, _documented(model, location, _WRITE.get(kind, "").format_map(context))


def _one_of(what: str, known: Sequence[str]) -> str:
    return f"{what}; known here: {', '.join(known)}" if known else what


def _documented(model: type[BaseModel], location: Sequence[str], what: str) -> str:
    """Say what a field is for and how it is written."""
    for end in range(len(location), 0, -1):
        for found in _models_at(model, location[: end - 1]):
            if field := _fields(found).get(location[end - 1]):
                return _of_field(what, location[end - 1], field)
    return what or "see the reference of the settings"


def _of_field(what: str, name: str, field: FieldInfo) -> str:
    if field.examples:
        example = yaml.safe_dump(
            {name: field.examples[0]}, default_flow_style=True, sort_keys=False, width=1000
        )
        like = example.strip()[1:-1]
        return f"{what}, such as {like}" if what else f"write it like {like}"
    told = f"{name} is: {field.description}" if field.description else f"look at {name}"
    return f"{what}; {told}" if what else told


def fields_at(model: type[BaseModel], location: Sequence[str]) -> list[str]:
    """List the keys that are known where a path of keys leads, to suggest one of them."""
    return [name for found in _models_at(model, location) for name in _fields(found)]


def _models_at(model: type[BaseModel], location: Sequence[str]) -> list[type[BaseModel]]:
    models = [model]
    for key in location:
        fields = [field for found in models if (field := _fields(found).get(key))]
        below = [inner for field in fields for inner in _models_in(field.annotation)]
        # Of several models the tag of one may come next.
        tagged = [found for found in models if not fields and _has_tag(found, key)]
        models = below or tagged or models
    return models


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _has_tag(model: type[BaseModel], tag: str) -> bool:
    return any(get_args(field.annotation) == (tag,) for field in model.model_fields.values())


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
