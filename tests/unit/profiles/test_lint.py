"""What is wrong with a list of profiles is told at once, before anybody may start one."""

from __future__ import annotations

import functools
import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jhext.profiles.catalog import Policy


async def asynchronous(spawner: Any) -> dict[str, str]:
    return {}


class AsynchronousObject:
    async def __call__(self, spawner: Any) -> dict[str, str]:
        return {}


def overriding(name: Any, value: Any) -> dict[str, Any]:
    return {"kubespawner_override": {name: value}}


def option(**keys: Any) -> dict[str, Any]:
    return {"profile_options": {"image": {"display_name": "Image", **keys}}}


def choices(**keys: Any) -> dict[str, Any]:
    return option(choices={"a": {"display_name": "A", **keys}})


def unlisted(**keys: Any) -> dict[str, Any]:
    return option(unlisted_choice={"enabled": True, **keys})


CHOICE = "profile_options.image.choices.a"
UNLISTED = "profile_options.image.unlisted_choice"

# Each: what is written in a profile, where the error is, and a part of what it says.
ERRORS: dict[str, tuple[dict[str, Any], str, str]] = {
    # D-57: keys
    "unknown key": ({"descripton": "x"}, "descripton", "did you mean 'description'?"),
    "unknown key like none": ({"icon": "x"}, "icon", "declare it in extra_profile_keys"),
    "unknown key of option": (option(optionl=True), "profile_options.image.optionl", "'optional'"),
    "unknown key of choice": (choices(defalt=True), f"{CHOICE}.defalt", "did you mean 'default'?"),
    "unknown key of free text": (
        unlisted(validation_regexp="x"),
        f"{UNLISTED}.validation_regexp",
        "did you mean 'validation_regex'?",
    ),
    **{
        f"d57 looks like a rule: {key}": ({key: ["x"]}, key, "looks like an access rule")
        for key in (
            "allow_groups", "allowed_teams", "allowedGroups", "allow", "deny_users", "denied",
            "block_users", "access", "groups", "users", "roles", "permitted", "visible_to",
            "restricted_to", "blocked_teams",
        )
    },
    "d57 in a choice": (choices(allow_groups=["x"]), f"{CHOICE}.allow_groups", "looks like"),
    "d57 in free text": (unlisted(allowed_teams=["x"]), f"{UNLISTED}.allowed_teams", "looks like"),
    "rule of the wrong type": ({"allowed_groups": "lab"}, "allowed_groups", "list of names"),
    "rule with what YAML makes of no": ({"blocked_users": [False]}, "blocked_users", "quote"),
    "faulty expression": ({"allow_if": "user =="}, "allow_if", "not a CEL expression"),
    "unknown variable": ({"allow_if": "group == 'a'"}, "allow_if", "unknown variable group"),
    # D-50: overrides
    "d50 misspelt trait": (
        overriding("mem_limt", "1G"),
        "kubespawner_override.mem_limt",
        "did you mean 'mem_limit'?",
    ),
    "d50 misspelt in a choice": (
        choices(**overriding("imge", "x")),
        f"{CHOICE}.kubespawner_override.imge",
        "did you mean 'image'?",
    ),
    "d50 misspelt in free text": (
        unlisted(**overriding("imge", "{value}")),
        f"{UNLISTED}.kubespawner_override.imge",
        "did you mean 'image'?",
    ),
    "d13 no trait of the hub": (
        overriding("user", "root"),
        "kubespawner_override.user",
        "no trait that a profile can override",
    ),
    "d13 no trait that decides": (
        overriding("admin_bypass", True),
        "kubespawner_override.admin_bypass",
        "no trait that a profile can override",
    ),
    "options are not overridden": (
        overriding("user_options", {}),
        "kubespawner_override.user_options",
        "no trait that a profile can override",
    ),
    "trait by a number": (overriding(1, "x"), "kubespawner_override.1", "name of a trait"),
    "wrong type": (overriding("cpu_limit", "much"), "kubespawner_override.cpu_limit", ""),
    "wrong type in a list": (overriding("cmd", [1]), "kubespawner_override.cmd", ""),
    "crashes its trait": (overriding("mem_limit", [1]), "kubespawner_override.mem_limit", "[1]"),
    "wrong shape": (overriding("environment", []), "kubespawner_override.environment", ""),
    "wrong type in a choice": (
        choices(**overriding("node_selector", "gpu")),
        f"{CHOICE}.kubespawner_override.node_selector",
        "",
    ),
    "async override": (
        overriding("environment", asynchronous),
        "kubespawner_override.environment",
        "async",
    ),
    "async object": (
        overriding("environment", AsynchronousObject()),
        "kubespawner_override.environment",
        "async",
    ),
    "async variable": (
        overriding("environment", {"A": "a", "B": asynchronous}),
        "kubespawner_override.environment",
        "async",
    ),
    "async partial": (
        overriding("environment", functools.partial(asynchronous)),
        "kubespawner_override.environment",
        "async",
    ),
    **{
        f"field in free text: {text}": (
            unlisted(**overriding("environment", {"A": [text]})),
            f"{UNLISTED}.kubespawner_override.environment",
            message,
        )
        for text, message in {
            "{value.__class__}": "reaches into",
            "{value[0]}": "reaches into",
            "{value:{value}}": "reaches into",
            "{}": "is no field",
            "{0}": "is no field",
            "{a.b}": "is no field",
            '{"json": "{value}"}': "only {value}",
            "{value": "not a format string",
            "}": "not a format string",
        }.items()
    },
    # Options
    "empty option": (option(), "profile_options.image", "neither choices nor"),
    "empty choices": (option(choices={}), "profile_options.image", "neither choices nor"),
    "free text turned off": (
        option(unlisted_choice={"enabled": False}),
        "profile_options.image",
        "neither choices nor",
    ),
    "choice with empty options": (
        choices(profile_options={}),
        f"{CHOICE}.profile_options",
        "is empty",
    ),
    "two default choices": (
        option(
            choices={key: {"display_name": key, "default": True} for key in "ab"},
        ),
        "profile_options.image.choices",
        "more than one default",
    ),
    "empty nested option": (
        choices(profile_options={"size": {"display_name": "Size"}}),
        f"{CHOICE}.profile_options.size",
        "neither choices nor",
    ),
    "no regular expression": (
        unlisted(validation_regex="(x"),
        f"{UNLISTED}.validation_regex",
        "not a regular expression",
    ),
    **{
        f"control character in {key}": (
            {key: "a\0b"} if key != "choice" else choices(display_name="\x1b[2J"),
            key if key != "choice" else f"{CHOICE}.display_name",
            "take the character out",
        )
        for key in ("display_name", "slug", "description", "choice")
    },
    "control character in a key": (
        {"profile_options": {"a\x7f": {"display_name": "A"}}},
        "profile_options.a\x7f",
        "holds the control character '\\x7f'",
    ),
    **{
        f"no number: {value} in {name}": (
            overriding(name, {"x": [value]} if name == "extra_labels" else value),
            f"kubespawner_override.{name}",
            "which no number in Kubernetes can be",
        )
        for name in ("cpu_limit", "mem_limit", "extra_labels", "image")
        for value in (math.nan, math.inf, -math.inf)
    },
    **{
        f"less than nothing: {value!r}": (
            overriding(name, value), f"kubespawner_override.{name}", "less than"
        )
        for name, value in (("cpu_limit", -1), ("cpu_guarantee", "-500m"), ("mem_limit", -1.5))
    },
    **{
        f"no text in {name}": (
            overriding(name, {"A": value}), f"kubespawner_override.{name}.A", f"A: '{told}'"
        )
        for name in ("environment", "node_selector", "extra_labels", "extra_annotations")
        for value, told in ((1, "1"), (2.5, "2.5"), (True, "true"))
    },
    "no text for a key": (
        overriding("environment", {1: "a"}), "kubespawner_override.environment.1", "in quotes"
    ),
    **{
        f"no quantity: {value}": (
            overriding("extra_resource_limits", {"nvidia.com/gpu": value}),
            "kubespawner_override.extra_resource_limits.nvidia.com/gpu",
            "write nvidia.com/gpu: ",
        )
        for value in ("one", True)
    },
    "no amount": (
        overriding("mem_limit", True), "kubespawner_override.mem_limit", "such as 4G or 512M"
    ),
    "NUL in an override": (
        overriding("environment", {"A": "a\0"}), "kubespawner_override.environment", "NUL"
    ),
    "slug is empty": ({"display_name": "!!!"}, "slug", "is empty"),
    "slug is no text": ({"slug": False}, "slug", ""),
}  # fmt: skip


@pytest.mark.parametrize(("written", "path", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_name_profile_and_path(
    check: Any, written: dict[str, Any], path: str, message: str
) -> None:
    """D-13, D-50, D-57."""
    profile = {"display_name": "Mine", "allow_all": True, **written}
    catalog = check([profile, {"display_name": "Good", "allow_all": True}])
    assert [item.slug for item in catalog.profiles] == ["good"]
    errors = [f for f in catalog.errors if f.path == path and message in str(f)]
    assert errors, list(map(str, catalog.errors))
    name = profile["display_name"]
    assert name in errors[0].where or "False" not in errors[0].where


def named(option: str, choice: str, more: dict[str, Any]) -> dict[str, Any]:
    choices = {choice: {"display_name": "C", **more}}
    return {"profile_options": {option: {"display_name": "O", "choices": choices}}}


@pytest.mark.parametrize(
    "name",
    [
        *("uid", "gid", "fs_gid", "supplemental_gids", "namespace", "service_account"),
        *("privileged", "allow_privilege_escalation"),
        *("container_security_context", "pod_security_context"),
        *("extra_container_config", "extra_pod_config"),
    ],
)
@pytest.mark.parametrize(
    "level",
    [
        lambda x: x,
        lambda x: choices(**x),
        lambda x: unlisted(**x),
        # Names of options and choices are the operator's, also those like keys to be passed over.
        lambda x: named("size", "x-large", x),
        lambda x: named("x-size", "large", x),
    ],
)
def test_d21_overrides_that_widen_rights_are_refused_unless_named(
    check: Any, name: str, level: Any
) -> None:
    values: dict[str, Any] = {"namespace": "n", "service_account": "s", "supplemental_gids": [0]}
    flags = {"privileged", "allow_privilege_escalation"}
    ids = {"uid", "gid", "fs_gid"}
    value = values.get(name, True if name in flags else 0 if name in ids else {})
    profile = {"display_name": "P", "allow_all": True, **level(overriding(name, value))}
    (error,) = check([profile]).errors
    assert "allowed_sensitive_overrides" in error.suggestion
    assert error.path.endswith(name)
    assert not check([profile], allowed_sensitive_overrides=frozenset({name})).errors
    others = frozenset({"uid", "gid", "privileged"}) - {name}
    assert check([profile], allowed_sensitive_overrides=others).errors
    # A callable is no way around it.
    assert check([{**profile, **level(overriding(name, lambda spawner: value))}]).errors


def test_all_errors_are_told_at_once(check: Any) -> None:
    profiles = [
        {"display_name": "A", "allow_groups": ["x"], **overriding("mem_limt", "1G")},
        {"display_name": "A!", "allow_all": True, **overriding("uid", 0), **option()},
        "no profile",
        {"display_name": "C", "allow_all": True, **choices(colour="red")},
        {"display_name": "D", "default": True},
        {"display_name": "E", "default": True},
    ]
    told = "\n".join(map(str, check(profiles).errors))
    for part in (
        "allow_groups", "mem_limt", "uid", "neither choices", "profile number 3", "colour",
        "default already",
    ):  # fmt: skip
        assert part in told


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"display_name": "A b"}, {"display_name": "A-B"}),
        ({"display_name": "X", "slug": "a-b"}, {"display_name": "A b"}),
        ({"display_name": "X", "slug": "same"}, {"display_name": "Y", "slug": "same"}),
    ],
)
def test_f11_slugs_are_unique(check: Any, first: dict[str, Any], second: dict[str, Any]) -> None:
    catalog = check([first | {"allow_all": True}, second | {"allow_all": True}])
    assert len(catalog.profiles) == 1
    (error,) = catalog.errors
    assert error.path == "slug"
    assert "unique" in error.message


def test_slugs_that_the_form_could_not_tell_apart(check: Any) -> None:
    slugs = ["a", "a--b", "a-b", "b--a"]
    catalog = check([{"display_name": "P", "slug": slug, "allow_all": True} for slug in slugs])
    (error,) = catalog.errors
    assert "a--b" in error.where


def test_option_keys_that_options_could_not_tell_apart(check: Any) -> None:
    inner = {"display_name": "C", "allow_all": True}
    nested = {
        "a": {
            "display_name": "A",
            "profile_options": {"b": {"display_name": "B", "choices": {"x": inner}}},
        }
    }
    for other in ("o--a--b", "o--a--b--unlisted-choice", "o--unlisted-choice"):
        options = {
            "o": {"display_name": "O", "choices": nested},
            other: {"display_name": "P", "choices": {"x": inner}},
        }
        profile = {"display_name": "P", "allow_all": True, "profile_options": options}
        assert any("would mean two options" in error.message for error in check([profile]).errors)


def test_option_that_would_be_taken_for_the_profile(check: Any) -> None:
    option = {"display_name": "O", "choices": {"a": {"display_name": "A"}}}
    profile = {"display_name": "P", "allow_all": True, "profile_options": {"profile": option}}
    assert "'profile' in user_options would mean two" in str(check([profile]).errors[0])


def test_two_defaults(check: Any) -> None:
    profiles = [{"display_name": name, "allow_all": True, "default": name != "A"} for name in "ABC"]
    (error,) = check(profiles).errors
    assert (error.where, error.path) == ("profile 'C'", "default")


ALL_AT_ONCE = """
- display_name: A
  default: true
  allow_groups: [x]
  profile_options: {}
- display_name: A
  default: true
  allowed_users: ann
  profile_options:
    o: {display_name: O, choises: {}}
    p:
      choices:
        a: {display_name: A, defualt: true}
        b: {display_name: B, default: true}
        c: {display_name: C, default: true, kubespawner_override: {uid: 0}}
    q: {display_name: Q, choices: [a], unlisted_choice: {enabled: "yes"}}
- {display_name: [A], profile_options: 3}
"""


def test_all_is_told_at_once(check: Any) -> None:
    errors = check(yaml.safe_load(ALL_AT_ONCE)).errors
    assert sorted((error.where, error.path) for error in errors) == [
        ("profile 'A'", "allow_groups"),
        ("profile 'A'", "allowed_users"),
        ("profile 'A'", "default"),
        ("profile 'A'", "profile_options"),
        ("profile 'A'", "profile_options.o"),
        ("profile 'A'", "profile_options.o.choises"),
        ("profile 'A'", "profile_options.p.choices"),
        ("profile 'A'", "profile_options.p.choices.a.defualt"),
        ("profile 'A'", "profile_options.p.choices.c.kubespawner_override.uid"),
        ("profile 'A'", "profile_options.p.display_name"),
        ("profile 'A'", "profile_options.q.choices"),
        ("profile 'A'", "profile_options.q.unlisted_choice.enabled"),
        ("profile 'A'", "slug"),
        # What is faulty is not called empty, too.
        ("profile number 3", "display_name"),
        ("profile number 3", "profile_options"),
    ]


def test_declared_keys_pass_unless_they_look_like_rules(check: Any) -> None:
    declared = {"extra_profile_keys": frozenset({"icon", "teams"})}
    assert not check([{"display_name": "P", "allow_all": True, "icon": 1}], **declared).findings
    assert check([{"display_name": "P", "allow_all": True, "teams": ["x"]}], **declared).errors


DOCUMENTED = """
- display_name: Training Env - Python
  slug: training-python
  default: true
  profile_options:
    image:
      display_name: Image
      choices:
        pytorch:
          display_name: Python 3 Training Notebook
          kubespawner_override: {image: "training/python:2022.01.01"}
        tf:
          display_name: R 4.2 Training Notebook
          kubespawner_override: {image: "training/r:2021.12.03"}
  kubespawner_override: {cpu_limit: 1, mem_limit: 512M}
- display_name: Python DataScience
  slug: datascience-small
  profile_options:
    memory:
      display_name: CPUs
      choices:
        2: {display_name: 2 CPUs, kubespawner_override: {cpu_limit: 2, mem_guarantee: 1.7G}}
    image:
      display_name: Other Image
      unlisted_choice:
        enabled: true
        display_name: Image Location
        validation_regex: ^gcr.io/my-org/.*$
        validation_message: "Must be a publicly available docker image, of form <image-name>:<tag>"
        display_name_in_choices: Enter image manually
        kubespawner_override: {image: "{value}"}
- display_name: DataScience - Medium instance (GPUx2)
  slug: datascience-gpu2x
  kubespawner_override:
    cpu_limit: 48
    mem_limit: 96G
    image: datascience/r:label
    extra_resource_guarantees: {nvidia.com/gpu: "2"}
    node_selector: {aws: large, none: null}
    environment: {REMOVED: null, KEPT: "1"}
    tolerations: [{key: a, operator: Exists}]
    volumes: {a: {name: a}, b: null}
"""


def test_kubespawners_documented_example_has_no_fault(check: Any) -> None:
    text = DOCUMENTED.replace("        2: {", "        '2': {")
    catalog = check(yaml.safe_load(text), Policy("allow"))
    assert not catalog.findings
    assert len(catalog.profiles) == 3
    # As YAML reads it, the key of the choice is a number, which user_options cannot name.
    (error, *_) = check(yaml.safe_load(DOCUMENTED), Policy("allow")).errors
    assert error.path.startswith("profile_options.memory.choices.2")


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=3)
            | st.integers()
            | st.booleans()
            | st.none()
            | st.sampled_from(
                [
                    "display_name", "slug", "default", "kubespawner_override", "profile_options",
                    "choices", "unlisted_choice", "enabled", "validation_regex", "allowed_users",
                    "allow_if", "block_if", "image", "uid", "environment", "optional", "x-y",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(profiles=st.lists(json, max_size=3))
def test_profiles_of_any_shape_end_in_findings(check: Any, profiles: Any) -> None:
    catalog = check(profiles)
    assert len(catalog.profiles) == len(profiles) or catalog.errors
    assert all(str(finding) for finding in catalog.findings)


@pytest.mark.parametrize("key", ["blocked_users", "blocked_groups", "block_if"])
@pytest.mark.parametrize("level", [lambda x: x, lambda x: named("o", "c", x)])
def test_a_block_with_nothing_behind_it_is_an_error(check: Any, key: str, level: Any) -> None:
    (error,) = check([{"display_name": "P", "allow_all": True, **level({key: None})}]).errors
    assert error.path.endswith(key)


def test_empty_options_are_an_error(check: Any) -> None:
    (error,) = check([{"display_name": "P", "allow_all": True, "profile_options": {}}]).errors
    assert error.path == "profile_options"
