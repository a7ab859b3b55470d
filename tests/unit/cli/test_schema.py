"""``jhext schema``: what an editor is told is what a hub accepts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import jhext
from jhext.profiles.amounts import AMOUNTS
from jhext.settings import load_settings
from jhext.upstream import overridable_traits

DEMO = Path(jhext.__file__).parent / "demo" / "data" / "jhext.yaml"
GOLDEN = Path(__file__).parents[2] / "golden" / "cli"


@pytest.fixture(scope="module")
def schema() -> Any:
    from jhext.offline.schema import schema  # noqa: PLC0415 - as the command does

    made = schema()
    Draft202012Validator.check_schema(made)
    return made


def problems(schema: Any, document: Any) -> list[str]:
    errors = Draft202012Validator(schema).iter_errors(document)
    return sorted(error.json_path for error in errors)


def test_the_command_prints_it(shell: Any, schema: Any) -> None:
    assert shell("schema").json == schema


@pytest.mark.parametrize(
    "path",
    [
        DEMO,
        GOLDEN / "explain" / "jhext.yaml",
        GOLDEN / "check" / "idle.yaml",
        GOLDEN / "diff" / "new.yaml",
        GOLDEN / "import" / "odh" / "jhext.stdout",
    ],
    ids=lambda path: path.parent.name,
)
def test_what_a_hub_accepts_is_valid(schema: Any, path: Path) -> None:
    load_settings(yaml.safe_load(path.read_text()))
    assert problems(schema, yaml.safe_load(path.read_text())) == []


EVERYTHING = """
profiles:
  - slug: base
    abstract: true
    kubespawner_override: {mem_limit: 4Gi, cpu_guarantee: 500m, cpu_limit: null}
  - slug: gpu
    display_name: GPU
    extends: base
    x-logo: gpu.svg
    allowed_users: {file: users.txt}
    allowed_groups: [lab]
    start_timeout: 10m
    environment: {A: "1"}
    node: {selector: {pool: gpu}, tolerations: [{key: gpu, operator: Exists}]}
    profile_options:
      image:
        display_name: Image
        unlisted_choice:
          enabled: true
          kubespawner_override: {image: "{value}", start_timeout: "{value}", uid: "{value}"}
      size: null
identity:
  ttl: 5m
  sources: [{type: fixed, values: {uid: 1000}}]
hub:
  default_access: allow
  cookie_secret: {env: SECRET}
  crypt_keys: [{file: /run/keys}]
"""


def test_everything_that_may_be_written_is_valid(schema: Any) -> None:
    assert problems(schema, yaml.safe_load(EVERYTHING)) == []


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ("profile: []", "$"),
        ("profiles: {}", "$.profiles"),
        ("profiles: [{display_name: P, allow_al: true}]", "$.profiles[0]"),
        ("profiles: [{display_name: P, allow_all: yes please}]", "$.profiles[0].allow_all"),
        ("profiles: [{display_name: P, allowed_groups: lab}]", "$.profiles[0].allowed_groups"),
        (
            "profiles: [{display_name: P, kubespawner_override: {mem_limt: 1G}}]",
            "$.profiles[0].kubespawner_override",
        ),
        (
            "profiles: [{display_name: P, kubespawner_override: {image: [a]}}]",
            "$.profiles[0].kubespawner_override.image",
        ),
        (
            "profiles: [{display_name: P, kubespawner_override: {uid: '{value}'}}]",
            "$.profiles[0].kubespawner_override.uid",
        ),
        (
            "profiles: [{display_name: P, profile_options: {size: {choices: {}}}}]",
            "$.profiles[0].profile_options.size",
        ),
        ("profiles: [{display_name: P, environment: {A: 1}}]", "$.profiles[0].environment.A"),
        (
            "profiles: [{display_name: P, kubespawner_override: {extra_labels: {a: 1}}}]",
            "$.profiles[0].kubespawner_override.extra_labels.a",
        ),
        ("hub: {default_access: maybe}", "$.hub.default_access"),
        ("hub: {cookie_secret: s3cret}", "$.hub.cookie_secret"),
    ],
)
def test_what_no_hub_accepts_is_not(schema: Any, document: str, path: str) -> None:
    assert path in problems(schema, yaml.safe_load(document))


def examples(schema: Any, path: str = "$") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(schema, dict):
        for example in schema.get("examples", ()):
            yield path, {key: schema[key] for key in schema if key != "examples"}, example
        for key, inner in schema.items():
            yield from examples(inner, f"{path}.{key}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from examples(inner, path)


def test_examples_are_valid(schema: Any) -> None:
    found = list(examples(schema))
    assert len(found) > 10
    for path, described, example in found:
        assert problems({**described, "$defs": schema["$defs"]}, example) == [], (path, example)


def test_every_override_is_described(schema: Any) -> None:
    traits = overridable_traits(jhext.ProfileKubeSpawner).traits
    overrides = schema["$defs"]["Overrides"]["properties"]
    callables = {name for name in traits if name.endswith("_hook")} | {"get_pod_url"}
    assert set(traits) - callables <= set(overrides) <= set(traits)
    assert overrides["image"]["description"].startswith("Docker image to use for")
    assert set(traits) >= AMOUNTS


VALUES: dict[str, Any] = {"number": 1.5, "integer": 7, "array": [], "object": {}}


def test_types_are_those_that_traits_take(schema: Any) -> None:
    """What is told of a trait must not keep somebody from writing what it takes."""
    traits = overridable_traits(jhext.ProfileKubeSpawner)
    for name, described in schema["$defs"]["Overrides"]["properties"].items():
        taken = {kind for kind, value in VALUES.items() if traits.problem(name, value) is None}
        assert [kind for kind in taken if problems(described, VALUES[kind])] == [], name
