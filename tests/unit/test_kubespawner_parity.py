"""What KubeSpawner does with a ``profile_list``, ProfileKubeSpawner does too under ``allow``."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import kubespawner
import pytest
import yaml
from kubernetes_asyncio.client import ApiClient, V1Container, V1Toleration
from kubespawner import KubeSpawner
from traitlets.config import Config

from jhext import ProfileKubeSpawner
from jhext.errors import SpawnRefused
from jhext.refusal import Reason

DEFAULT_IMAGE = "quay.io/jupyterhub/singleuser:latest"
P = {"profile": "p"}
TEXT = "image--unlisted-choice"

Before = Callable[[KubeSpawner], None] | None


def user_name(spawner: KubeSpawner) -> str:
    name: str = spawner.user.name
    return name


async def by_async_callable(spawner: KubeSpawner) -> list[dict[str, Any]]:
    return [{"display_name": spawner.user.name, "kubespawner_override": {"image": "x:1"}}]


def what_hooks_set(spawner: KubeSpawner) -> None:
    """Set what ``group_overrides`` and ``pre_spawn_hook`` set before a profile is applied."""
    spawner.mem_limit = "2G"
    spawner.cpu_limit = 4
    spawner.environment["GROUP"] = "lab"
    spawner.environment["BOTH"] = "hook"
    spawner.node_selector = {"group": "lab", "both": "hook"}


def configured(profile_list: Any, traits: dict[str, Any], kind: type[KubeSpawner]) -> Config:
    config = Config({"KubeSpawner": copy.deepcopy(traits)})
    if profile_list is not None:
        config.KubeSpawner.profile_list = copy.deepcopy(profile_list)
    if kind is ProfileKubeSpawner:
        config.ProfileKubeSpawner.default_access = "allow"
        config.ProfileKubeSpawner.allowed_sensitive_overrides = {"uid", "gid", "extra_pod_config"}
    return config


async def manifests(
    make_spawner: Any,
    kind: type[KubeSpawner],
    profile_list: Any = None,
    options: Any = None,
    traits: dict[str, Any] | None = None,
    before: Before = None,
) -> Any:
    """Give the pod and the claim as they are sent."""
    config = configured(profile_list, traits or {}, kind)
    spawner = make_spawner(kind=kind, config=config, options=copy.deepcopy(options or {}))
    if before:
        before(spawner)
    await spawner.load_user_options()
    objects = [await spawner.get_pod_manifest(), spawner.get_pvc_manifest()]
    return ApiClient.sanitize_for_serialization(ApiClient.__new__(ApiClient), objects)


async def assert_same(make_spawner: Any, profile_list: Any, *more: Any) -> None:
    if isinstance(profile_list, dict) and kubespawner.__version__.startswith("7.0."):
        pytest.skip("not on KubeSpawner 7.0: its profile_list is no dict")
    asked = (profile_list, *more)
    theirs = await manifests(make_spawner, KubeSpawner, *asked)
    assert await manifests(make_spawner, ProfileKubeSpawner, *asked) == theirs
    assert theirs != await manifests(make_spawner, KubeSpawner), "this case shows nothing"


SIZES: list[dict[str, Any]] = yaml.safe_load("""
- {display_name: Small, slug: s, kubespawner_override: {mem_limit: 1G}}
- {display_name: Large server, kubespawner_override: {mem_limit: 8G}, default: true}
""")

SOURCES = {
    "list": (SIZES, {"profile": "s"}),
    "list-default": (SIZES, {}),
    "list-without-default-takes-the-first": (SIZES[:1], {}),
    "slug-from-display-name": (SIZES, {"profile": "large-server"}),
    "empty-profile-is-the-default": (SIZES, {"profile": ""}),
    "dict-by-sorted-key": ({"b": SIZES[0], "a": SIZES[1] | {"default": False}}, {}),
    "dict-keys-are-no-slugs": ({"b": SIZES[0], "a": SIZES[1]}, {"profile": "s"}),
    "callable": (lambda spawner: SIZES, {"profile": "s"}),
    "async-callable": (by_async_callable, {"profile": "ann"}),
}


@pytest.mark.parametrize(("profile_list", "options"), SOURCES.values(), ids=SOURCES)
async def test_same_profile_as_kubespawner(
    make_spawner: Any, profile_list: Any, options: Any
) -> None:
    await assert_same(make_spawner, profile_list, options)


# Each: the overrides of a profile, and what is configured besides.
OVERRIDES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    name: (case["over"], case.get("of", {}))
    for name, case in yaml.safe_load(r"""
quantities: {over: {mem_limit: 2G, cpu_guarantee: 0.5}}
list-replaces: {over: {cmd: [b]}, of: {cmd: [a, --x]}}
dict-merges: {over: {environment: {A: new, B: "2"}}, of: {environment: {A: "1", C: "3"}}}
none-deletes: {over: {environment: {A: null, Z: null}}, of: {environment: {A: "1", C: "3"}}}
dict-merges-deep:
  over: {extra_pod_config: {dnsConfig: {searches: [b], nameservers: null}}}
  of: {extra_pod_config: {dnsConfig: {searches: [a], nameservers: ["::1"], options: []}}}
fields: {over: {working_dir: "/home/{username}", extra_annotations: {u: "{unescaped_username}"}}}
literal-braces: {over: {environment: {J: '{{"a": 1}}'}}}
trailing-dash: {over: {environment: {A: "-", B: "{servername}-", C: "x-{servername}"}}}
resources: {over: {extra_resource_limits: {nvidia.com/gpu: "1"}}}
placement:
  over:
    node_selector: {pool: gpu}
    priority_class_name: system-cluster-critical
    scheduler_name: own
affinity:
  over: {node_affinity_required: [{matchExpressions: [{key: a, operator: Exists}]}]}
identity-where-allowed: {over: {uid: 1234, gid: 5}}
storage:
  over: {storage_capacity: 5Gi, storage_class: fast, storage_extra_labels: {u: "{username}"}}
  of: {storage_extra_labels: {l: "1"}}
lifecycle: {over: {lifecycle_hooks: {postStart: {exec: {command: ["true"]}}}}}
d54-list-over-dict: {over: {volumes: [{name: b}]}, of: {volumes: {a: {name: a}}}}
d54-dict-over-list: {over: {volumes: {b: {name: b}}}, of: {volumes: [{name: a}]}}
d54-dict-over-dict:
  over: {volumes: {b: {name: b}, c: null}}
  of: {volumes: {a: {name: a}, c: {name: c}}}
""").items()
}
NAMED = {
    "volumes": ({"name": "v"}, {"name": "w"}),
    "volume_mounts": ({"name": "v", "mountPath": "/v"}, {"name": "w", "mountPath": "/w"}),
    "init_containers": ({"name": "i", "image": "i:1"}, {"name": "j", "image": "j:1"}),
    "extra_containers": ({"name": "i", "image": "i:1"}, {"name": "j", "image": "j:1"}),
    "tolerations": ({"key": "b", "operator": "Exists"}, {"key": "a", "operator": "Exists"}),
}
# What mounts refer to.
BESIDES = {"volume_mounts": {"volumes": [{"name": "v"}, {"name": "w"}]}}
for trait, (first, second) in NAMED.items():
    besides = BESIDES.get(trait, {})
    OVERRIDES[f"d54-list-of-{trait}"] = ({trait: [first, second]}, besides)
    OVERRIDES[f"d54-dict-of-{trait}"] = ({trait: {"b": first, "a": second}}, besides)
OVERRIDES |= {
    "callable": ({"image": user_name}, {}),
    "callable-gives-dict": ({"environment": lambda spawner: {"B": "2", "A": None}}, {}),
    "callable-sees-the-one-before": (
        {"image": "x:1", "environment": lambda spawner: {"IMAGE": spawner.image}},
        {},
    ),
    "callable-inside": ({"environment": {"A": user_name}}, {}),
    "objects-of-kubernetes": (
        {
            "init_containers": [V1Container(name="i", image="i:1")],
            "tolerations": [V1Toleration(key="k", operator="Exists")],
        },
        {},
    ),
}


@pytest.mark.parametrize(("overrides", "traits"), OVERRIDES.values(), ids=OVERRIDES)
async def test_d54_same_override_as_kubespawner(
    make_spawner: Any, overrides: dict[str, Any], traits: dict[str, Any]
) -> None:
    profiles = [{"display_name": "P", "kubespawner_override": overrides}]
    await assert_same(make_spawner, profiles, {}, traits)


def of_option(**keys: Any) -> list[dict[str, Any]]:
    """Give one profile that sets an image and has the option ``image``."""
    return [
        {
            "display_name": "P",
            "kubespawner_override": {"image": "p:1", "environment": {"A": "p", "B": "p"}},
            "profile_options": {"image": {"display_name": "Image", **keys}},
        }
    ]


CHOICES = yaml.safe_load("""
a: {display_name: A, kubespawner_override: {image: "a:1", environment: {B: choice, A: null}}}
b: {display_name: B, kubespawner_override: {image: "b:1"}}
c: {display_name: C}
""")
UNLISTED = yaml.safe_load("""
enabled: true
display_name: Other image
validation_regex: ^quay[.].+$
kubespawner_override:
  image: "{value}"
  environment: {"IMAGE_{value}": "{value} for {username}", LITERAL: "{{{{}}}}"}
  cmd: [start, "--image={value}"]
""")
PLAIN = of_option(choices=CHOICES)
MARKED = of_option(choices=CHOICES | {"b": CHOICES["b"] | {"default": True}})
BOTH = of_option(choices=CHOICES, unlisted_choice=UNLISTED)
GIVEN = P | {TEXT: "quay.image-1"}
TWO_OPTIONS = yaml.safe_load("""
- display_name: P
  profile_options:
    z--y x: {display_name: Z, choices: {x: {display_name: X, kubespawner_override: {image: "z:1"}},
                                        y: {display_name: Y, kubespawner_override: {cmd: [z]}}}}
    a: {display_name: A, choices: {x: {display_name: X, kubespawner_override: {image: "a:1"}},
                                   y: {display_name: Y, kubespawner_override: {cmd: [a]}}}}
""")
# What nobody may type may be what an operator calls a choice or a profile.
ODD = "{a}\xa0\u200d" + "b" * 2000
ODD_NAMES = of_option(choices={ODD: CHOICES["a"], "b": CHOICES["b"]})

OPTIONS = {
    "default-is-the-first-choice": (PLAIN, P),
    "default-is-the-marked-choice": (MARKED, P),
    "default-without-profile": (MARKED, {}),
    "empty-choice-is-the-default": (MARKED, P | {"image": ""}),
    "choice": (PLAIN, P | {"image": "b"}),
    "choice-without-override": (PLAIN, P | {"image": "c"}),
    "options-in-their-order": (TWO_OPTIONS, P),
    "key-with-dashes": (TWO_OPTIONS, P | {"z--y x": "y"}),
    "odd-names": ([ODD_NAMES[0] | {"slug": ODD}], {"profile": ODD, "image": ODD}),
    "free-text": (of_option(unlisted_choice=UNLISTED), GIVEN),
    "free-text-beside-choices": (BOTH, GIVEN),
    "free-text-wins-over-choice": (BOTH, GIVEN | {"image": "b"}),
    "empty-text-is-the-default": (BOTH, P | {TEXT: ""}),
    "free-text-and-callable": (
        of_option(
            unlisted_choice={"enabled": True, "kubespawner_override": {"image": user_name}},
        ),
        GIVEN,
    ),
}


@pytest.mark.parametrize(("profile_list", "options"), OPTIONS.values(), ids=OPTIONS)
async def test_same_option_as_kubespawner(
    make_spawner: Any, profile_list: Any, options: Any
) -> None:
    await assert_same(make_spawner, profile_list, options)


@pytest.mark.parametrize(
    ("profile_list", "options"),
    [
        pytest.param(PLAIN, P, id="over-what-hooks-set"),
        pytest.param(SIZES, {}, id="beside-what-hooks-set"),
        pytest.param(None, {}, id="no-profiles"),
        pytest.param(None, {"image": "x"}, id="no-profiles-ignore-other-options"),
        pytest.param([], {}, id="empty-list"),
        pytest.param({}, {}, id="empty-dict"),
    ],
)
async def test_same_after_hooks_as_kubespawner(
    make_spawner: Any, profile_list: Any, options: Any
) -> None:
    await assert_same(make_spawner, profile_list, options, {}, what_hooks_set)


def free_text(regex: str) -> list[dict[str, Any]]:
    override = {"image": "{value}"}
    unlisted = {"enabled": True, "validation_regex": regex, "kubespawner_override": override}
    return of_option(unlisted_choice=unlisted)


OK = free_text("ok/[a-z]+")
TWICE = [{"display_name": "A b"}, {"display_name": "A-B", "kubespawner_override": {"image": "x:1"}}]
DEFAULTS = [{"display_name": name, "default": True} for name in "AB"]

# Each: the list, what is asked for, what KubeSpawner does, and what ProfileKubeSpawner does:
# the image that is started, or why nothing is.
DIFFERENT = {
    "f01-callable-lists-nothing": (lambda _: [], {}, DEFAULT_IMAGE, Reason.NONE_PERMITTED),
    "f02-text-without-profile-skips-regex": (OK, {TEXT: "evil/x"}, "evil/x", Reason.OPTIONS),
    "f02-text-without-profile-drops-choice": (PLAIN, {TEXT: "x"}, "p:1", Reason.CHOICE),
    "f07-callable-gives-dict": (lambda _: {"a": SIZES[0]}, {}, TypeError, DEFAULT_IMAGE),
    "f08-unknown-choice": (PLAIN, P | {"image": "z"}, KeyError, Reason.CHOICE),
    "d48-choice-is-a-list": (PLAIN, P | {"image": ["a"]}, TypeError, Reason.OPTIONS),
    "d48-text-is-a-number": (OK, P | {TEXT: 7}, TypeError, Reason.OPTIONS),
    "d48-unknown-profile": (PLAIN, {"profile": "gone"}, ValueError, Reason.PROFILE),
    "d48-profile-is-a-list": (PLAIN, {"profile": ["p"]}, ValueError, Reason.OPTIONS),
    "d48-profile-where-none-are": ([], P, ValueError, Reason.PROFILE),
    "d48-text-is-missing": (OK, P, ValueError, Reason.OPTIONS),
    "f09-regex-in-part": (OK, P | {TEXT: "ok/x@evil"}, "ok/x@evil", Reason.OPTIONS),
    "f09-newline": (free_text("^ok$"), P | {TEXT: "ok\n"}, "ok\n", Reason.OPTIONS),
    "d01-fields-in-text": (free_text(".*"), P | {TEXT: "{userid}"}, "{userid}", Reason.OPTIONS),
    "d22-text-names-a-variable": (
        of_option(
            unlisted_choice={
                "enabled": True,
                "kubespawner_override": {"environment": {"{value}": "x"}},
            }
        ),
        P | {TEXT: "LD_PRELOAD"},
        "p:1",
        Reason.OPTIONS,
    ),
    "d01-key-of-no-option": (SIZES, {"image": "evil/x"}, DEFAULT_IMAGE, Reason.OPTIONS),
    "f11-same-slug-twice": (TWICE, {}, DEFAULT_IMAGE, Reason.CONFIG),
    "two-defaults": (DEFAULTS, {}, DEFAULT_IMAGE, Reason.CONFIG),
    "d50-misspelt-override": (
        [{"display_name": "P", "kubespawner_override": {"imge": "x:1"}}],
        {},
        DEFAULT_IMAGE,
        Reason.CONFIG,
    ),
    "d21-sensitive-override": (
        [{"display_name": "P", "kubespawner_override": {"fs_gid": 0}}],
        {},
        DEFAULT_IMAGE,
        Reason.CONFIG,
    ),
    "d57-unknown-key": (
        [{"display_name": "P", "allow_groups": ["x"]}],
        {},
        DEFAULT_IMAGE,
        Reason.CONFIG,
    ),
}


async def outcome(
    make_spawner: Any, kind: type[KubeSpawner], profile_list: Any, options: Any
) -> Any:
    try:
        pod, _ = await manifests(make_spawner, kind, profile_list, options)
    except SpawnRefused as refused:
        return refused.refusal.reason
    except Exception as error:
        return type(error)
    return pod["spec"]["containers"][0]["image"]


@pytest.mark.parametrize(
    ("profile_list", "options", "theirs", "ours"), DIFFERENT.values(), ids=DIFFERENT
)
async def test_different_on_purpose(
    make_spawner: Any, profile_list: Any, options: Any, theirs: Any, ours: Any
) -> None:
    """D-01, D-21, D-22, D-48, D-50, D-57, F-01, F-02, F-07, F-08, F-09, F-11."""
    assert await outcome(make_spawner, KubeSpawner, profile_list, options) == theirs
    assert await outcome(make_spawner, ProfileKubeSpawner, profile_list, options) == ours
