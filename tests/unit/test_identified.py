"""Identity and the pod come together in the spawner, which has the last word."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from jupyterhub.utils import maybe_future
from traitlets.config import Config

from jhext.errors import SpawnRefused
from jhext.identified import resolver_of
from jhext.identity.errors import IdentityUnavailable, Reason
from jhext.identity.resolve import Resolver
from jhext.identity.source import Person
from jhext.pod.finish import PodReason, PodRefused
from jhext.refusal import Reason as PolicyReason
from jhext.refusal import Refusal
from jhext.settings import Settings, load_settings
from jhext.upstream import in_plain_form
from tests.unit.spawning import granted_to, refusal_of

ANN = {
    "uid": 1001,
    "gid": 2001,
    "groups": {"staff": 2001, "lab": 5001},
    "gecos": "Ann {unescaped} Lee",
    "claims": {"role": "staff"},
}
ANYBODY: list[dict[str, Any]] = [{"slug": "any", "display_name": "Any", "allow_all": True}]
PROJECT = {"uid": 4200, "gid": 4200, "groups": {"exp42": 4200, "beam": 4300}}
AS_PROJECT = [ANYBODY[0] | {"act_as": PROJECT}]
BLOCKER: dict[str, Any] = {
    "name": "block-cloud-metadata",
    "image": "k8s-network-tools",
    "command": ["iptables", "--append", "OUTPUT", "--destination", "169.254.169.254"],
    "securityContext": {
        "privileged": True,
        "runAsUser": 0,
        "capabilities": {"add": ["NET_ADMIN"]},
    },
}
"""The init container that the chart adds by default."""


def settings_of(pod: Mapping[str, Any] | None = None, **identity: Any) -> Settings:
    asked = {"sources": [{"type": "auth_state"}], "unique_uid": "off"}
    return load_settings({"identity": asked | identity, "pod": dict(pod or {})})


PLATFORM = load_settings({"identity": {"mode": "platform"}})


@pytest.fixture
def make(make_spawner: Any) -> Callable[..., Any]:
    """Make spawners of a person whom the authenticator knows."""

    def make_identified(profiles: Any = ANYBODY, person: Any = ANN, **more: Any) -> Any:
        more.setdefault("settings", settings_of())
        state = None if person is None else {"jhext": person}
        return make_spawner(profiles, more.pop("options", {}), auth_state=state, **more)

    return make_identified


async def sent(spawner: Any) -> dict[str, Any]:
    """Decide, build the pod, let hooks change it, and give what would be sent."""
    await spawner.load_user_options()
    return await built(spawner)


async def built(spawner: Any) -> dict[str, Any]:
    pod = await spawner.get_pod_manifest()
    if spawner.modify_pod_hook:
        pod = await maybe_future(spawner.modify_pod_hook(spawner, pod))
    manifest: dict[str, Any] = await spawner.before_pod_create(pod)
    assert await spawner.before_pod_create(pod) == manifest  # sending is tried again
    return manifest


def containers_of(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]


def ids_in(context: Mapping[str, Any]) -> tuple[Any, ...]:
    return context.get("runAsUser"), context.get("runAsGroup")


def environment_in(pod: Mapping[str, Any]) -> dict[str, str]:
    return {item["name"]: item.get("value") for item in pod["spec"]["containers"][0]["env"]}


# What is sent


async def test_d20_pod_runs_as_the_person(make: Any) -> None:
    """D-37: name and ids are there before anything runs."""
    extra = {"name": "side", "image": "side"}
    spawner = make(extra_containers=[extra], init_containers=[extra | {"name": "init"}], uid=7)
    pod = await sent(spawner)
    context = pod["spec"]["securityContext"]
    assert ids_in(context) == (1001, 2001)
    assert context["supplementalGroups"] == [5001]
    assert len(containers_of(pod)) == 3
    for container in containers_of(pod):
        assert ids_in(container["securityContext"]) == (1001, 2001)
    assert pod["metadata"]["labels"]["jhext.io/profile"] == "any"
    passwd = pod["metadata"]["annotations"]["jhext.io/passwd"].splitlines()[-1]
    assert passwd.startswith("ann:x:1001:2001:Ann {unescaped} Lee:/home/jovyan:")
    environment = environment_in(pod)
    assert (environment["USER"], environment["NB_UID"]) == ("ann", "1001")
    assert environment["GIT_AUTHOR_NAME"] == "Ann {unescaped} Lee"


async def test_home_is_where_the_notebook_works(make: Any) -> None:
    pod = await sent(make(working_dir="/lab/{username}"))
    assert environment_in(pod)["HOME"] == "/lab/ann"
    assert ":/lab/ann:" in pod["metadata"]["annotations"]["jhext.io/passwd"]


async def test_d22_profile_cannot_say_who_somebody_is(make: Any) -> None:
    mine = {"NB_UID": "0", "USER": "root", "HOME": "/root", "GRANT_SUDO": "yes", "MINE": "1"}
    profile = ANYBODY[0] | {"kubespawner_override": {"environment": mine}}
    environment = environment_in(await sent(make([profile])))
    assert (environment["NB_UID"], environment["USER"]) == ("1001", "ann")
    assert (environment["HOME"], environment["MINE"]) == ("/home/jovyan", "1")
    assert "GRANT_SUDO" not in environment


async def test_without_the_section_the_pod_is_kubespawners(make_spawner: Any) -> None:
    traits = {"uid": lambda spawner: 1234, "gid": 99, "extra_containers": [BLOCKER]}
    spawner = make_spawner(ANYBODY, {}, auth_state={"jhext": ANN}, **traits)
    await spawner.load_user_options()
    pod = await spawner.get_pod_manifest()
    before = in_plain_form(spawner, pod)
    after = in_plain_form(spawner, await spawner.before_pod_create(pod))
    for label in ("profile", "user", "server", "component"):
        del after["metadata"]["labels"][f"jhext.io/{label}"]
    assert after == before
    assert spawner.identity is None
    assert "uid" not in spawner.get_state()["jhext"]


async def test_platform_asks_for_no_ids(make_spawner: Any) -> None:
    """D-20."""
    spawner = make_spawner(ANYBODY, {}, settings=PLATFORM, uid=7, gid=8, fs_gid=9)
    pod = await sent(spawner)
    context = pod["spec"]["securityContext"]
    assert {"runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"}.isdisjoint(context)
    (notebook,) = containers_of(pod)
    assert ids_in(notebook["securityContext"]) == (None, None)
    assert notebook["securityContext"]["runAsNonRoot"]
    assert environment_in(pod)["USER"] == "ann"
    assert "jhext.io/passwd" not in pod["metadata"].get("annotations", {})
    assert "uid" not in spawner.get_state()["jhext"]


# Refused, and not available

REFUSED: dict[str, tuple[Any, Reason]] = {
    "no auth_state": (None, Reason.UNKNOWN),
    "no gid": ({"uid": 1001}, Reason.MISSING),
    "root": (ANN | {"uid": 0}, Reason.INVALID),
    "system user": (ANN | {"uid": 999}, Reason.INVALID),
    "no number": (ANN | {"uid": "1e3"}, Reason.INVALID),
    "newline in the name": (ANN | {"username": "ann\nroot:x:0"}, Reason.INVALID),
}


@pytest.mark.parametrize(("person", "reason"), REFUSED.values(), ids=REFUSED)
async def test_d23_d25_no_identity_no_server(make: Any, person: Any, reason: Reason) -> None:
    refusal = await refusal_of(spawner := make(person=person))
    assert (refusal.status_code, refusal.reason) == (403, reason)
    assert "administrators" in refusal.message
    assert "jhext" not in spawner.get_state()
    with pytest.raises(Refusal):
        await built(spawner)


async def test_d31_source_that_does_not_answer_refuses_for_now(make: Any) -> None:
    answers: list[Any] = [IdentityUnavailable("campus: asleep", transient=False), ANN]

    def campus(person: Person) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    sources = [{"type": "function", "name": "campus", "function": campus}]
    spawner = make(settings=settings_of(sources=sources))
    refusal = await refusal_of(spawner)
    assert (refusal.status_code, refusal.reason) == (503, Reason.UNAVAILABLE)
    assert refusal.detail == "campus: asleep"
    assert "campus" not in refusal.message
    assert await granted_to(spawner) == "any"


async def test_d31_identity_is_waited_for_within_the_start(make: Any) -> None:
    """Else the hub would say that the start took too long, and not why."""

    async def campus(person: Person) -> Any:
        await asyncio.sleep(3600)

    sources = [{"type": "function", "name": "campus", "function": campus}]
    settings = settings_of(sources=sources, deadline="10m")
    refusal = await refusal_of(make(settings=settings, start_timeout=1))
    assert (refusal.status_code, refusal.reason) == (503, Reason.UNAVAILABLE)
    assert "start_timeout" in refusal.detail


async def test_an_identity_that_was_refused_is_not_the_last_one(make: Any) -> None:
    """The pod of a refused start never runs as who was there before."""
    spawner = make()
    await spawner.load_user_options()
    assert spawner.identity.uid == 1001
    spawner.user.auth_state = {"jhext": ANN | {"uid": 0}}
    await refusal_of(spawner)
    assert spawner.identity is None


async def test_ledger_that_cannot_be_used_is_a_mistake_of_the_configuration(make: Any) -> None:
    missing = settings_of(unique_uid="refuse", ledger={"env": "JHEXT_TEST_NO_SUCH_LEDGER"})
    refusal = await refusal_of(make(settings=missing))
    assert (refusal.status_code, refusal.reason) == (503, PolicyReason.CONFIG)


async def test_pod_made_around_the_decision_is_refused(make: Any) -> None:
    """D-21: a hook or a subclass that leaves `load_user_options` out gets no pod."""
    with pytest.raises(Refusal) as refused:
        await built(make())
    assert refused.value.reason is PolicyReason.CONFIG
    assert "load_user_options" in refused.value.detail


# In the place of the person


async def test_act_as_is_sent_kept_and_audited(make: Any, caplog: Any) -> None:
    spawner = make(AS_PROJECT)
    with caplog.at_level("INFO"):
        pod = await sent(spawner)
    assert ids_in(pod["spec"]["securityContext"]) == (4200, 4200)
    assert pod["spec"]["securityContext"]["supplementalGroups"] == [4300]
    assert environment_in(pod)["USER"] == "ann"
    record = spawner.get_state()["jhext"]
    assert (record["uid"], record["gid"]) == (4200, 4200)
    (event,) = [
        json.loads(text.removeprefix("spawn-decision "))
        for text in caplog.messages
        if text.startswith("spawn-decision")
    ]
    assert event["acts_as"] == "4200:4200"


@pytest.mark.parametrize("ids", [{"uid": 0}, {"uid": 999}, {"gid": 0}, {"groups": {"root": 0}}])
async def test_d23_ranges_hold_for_act_as(make: Any, ids: dict[str, Any]) -> None:
    refusal = await refusal_of(make([ANYBODY[0] | {"act_as": PROJECT | ids}]))
    assert (refusal.status_code, refusal.reason) == (403, Reason.INVALID)
    assert "act_as" in refusal.detail


@pytest.mark.parametrize("settings", [PLATFORM, load_settings({})], ids=["platform", "nothing"])
async def test_act_as_needs_people_with_ids(make: Any, settings: Settings) -> None:
    refusal = await refusal_of(spawner := make(AS_PROJECT, settings=settings))
    assert refusal.reason is PolicyReason.CONFIG
    assert "act_as" in refusal.detail
    assert "jhext" not in spawner.get_state()


async def test_act_as_ends_with_its_profile(make: Any) -> None:
    own = {"slug": "own", "display_name": "Own", "allow_all": True}
    spawner = make([*AS_PROJECT, own])
    assert await granted_to(spawner, {"profile": "any"}) == "any"
    assert await granted_to(spawner, {"profile": "own"}) == "own"
    assert ids_in((await built(spawner))["spec"]["securityContext"]) == (1001, 2001)


# The last word


def ids_set_by_a_hook(spawner: Any, pod: Any) -> Any:
    pod.spec.security_context = {"runAsUser": 0, "supplementalGroups": [27]}
    pod.spec.containers[0].security_context = {"runAsUser": 0, "allowPrivilegeEscalation": True}
    pod.metadata.annotations["jhext.io/passwd"] = "ann:x:0:0:::\n"
    return pod


async def test_d21_what_hooks_say_about_ids_is_overwritten(make: Any) -> None:
    plain = await sent(make())
    hooked = await sent(make(modify_pod_hook=ids_set_by_a_hook))
    assert hooked == plain


def with_root_sidecar(spawner: Any, pod: Any) -> Any:
    root = {"name": "root", "image": "root", "securityContext": {"runAsUser": 0}}
    pod.spec.containers.append(root)
    return pod


def with_added_capability(spawner: Any, pod: Any) -> Any:
    pod.spec.containers[0].security_context = {"capabilities": {"add": ["SYS_ADMIN"]}}
    return pod


def with_processes_of_the_node(spawner: Any, pod: Any) -> Any:
    pod.spec.host_pid = True
    return pod


def malformed(spawner: Any, pod: Any) -> Any:
    pod.spec = {"containers": "none"}
    return pod


@pytest.mark.parametrize("settings", [settings_of(), PLATFORM], ids=["user", "platform"])
@pytest.mark.parametrize(
    "hook", [with_root_sidecar, with_added_capability, with_processes_of_the_node, malformed]
)
async def test_d21_what_hooks_widen_is_refused(make: Any, hook: Any, settings: Settings) -> None:
    spawner = make(settings=settings, modify_pod_hook=hook)
    with pytest.raises(PodRefused) as refused:
        await sent(spawner)
    assert refused.value.reason is PodReason.REFUSED
    assert refused.value.status_code == 503


async def test_d21_overrides_cannot_change_the_ids(make: Any) -> None:
    override = {
        "extra_container_config": {"securityContext": {"runAsUser": 1}},
        "extra_pod_config": {"securityContext": {"runAsUser": 1, "fsGroup": 1}},
    }
    profile = ANYBODY[0] | {"kubespawner_override": override}
    spawner = make([profile], allowed_sensitive_overrides=set(override))
    assert (await sent(spawner))["spec"]["securityContext"]["fsGroup"] == 2001


# The containers of the operator that need root

LISTED = settings_of(pod={"privileged_containers": [BLOCKER["name"]]})


async def test_unlisted_root_container_is_refused_with_both_cures(make: Any) -> None:
    with pytest.raises(PodRefused) as refused:
        await sent(make(init_containers=[BLOCKER]))
    assert "pod.privileged_containers" in refused.value.detail
    assert "blockWithIptables: false" in refused.value.detail


@pytest.mark.parametrize("shape", [[BLOCKER], {"50-block": BLOCKER}], ids=["list", "dict"])
async def test_listed_container_is_sent_as_configured(make: Any, shape: Any) -> None:
    pod = await sent(make(init_containers=shape, settings=LISTED))
    assert pod["spec"]["initContainers"] == [BLOCKER]
    assert "runAsNonRoot" not in pod["spec"]["securityContext"]


@pytest.mark.parametrize("key", ["image", "command", "securityContext"])
@pytest.mark.parametrize("by", ["hook", "profile"])
async def test_d21_listed_container_is_compared_whole(make: Any, by: str, key: str) -> None:
    others = {"image": "evil", "command": ["sh"], "securityContext": {"runAsUser": 0}}
    changed = BLOCKER | {key: others[key]}

    def change(spawner: Any, pod: Any) -> Any:
        pod.spec.init_containers = [changed]
        return pod

    if by == "hook":
        spawner = make(init_containers=[BLOCKER], settings=LISTED, modify_pod_hook=change)
    else:
        override = {"kubespawner_override": {"init_containers": [changed]}}
        config = Config({"ProfileKubeSpawner": {"init_containers": [BLOCKER]}})
        spawner = make(
            [ANYBODY[0] | override],
            config=config,
            settings=LISTED,
            allowed_sensitive_overrides={"init_containers"},
        )
    with pytest.raises(PodRefused, match="not the container"):
        await sent(spawner)


@pytest.mark.parametrize("shape", ["list", "dict"])
async def test_d21_listed_container_mounts_what_is_configured(make: Any, shape: str) -> None:
    data = {"name": "data", "persistentVolumeClaim": {"claimName": "data-{username}"}}
    mounts = [{"name": "data", "mountPath": "/data"}]
    section = {
        "init_containers": [BLOCKER | {"volumeMounts": mounts}],
        "volumes": [data] if shape == "list" else {"50-data": data},
    }
    config = Config({"ProfileKubeSpawner": section})
    pod = await sent(make(config=config, settings=LISTED))
    assert data | {"persistentVolumeClaim": {"claimName": "data-ann"}} in pod["spec"]["volumes"]

    other = {"volumes": [{"name": "data", "hostPath": {"path": "/"}}]}
    profile = ANYBODY[0] | {"kubespawner_override": other}
    with pytest.raises(PodRefused, match="'data' is not the volume"):
        await sent(make([profile], config=config, settings=LISTED))


async def test_d21_listed_container_that_nobody_configured_is_refused(make: Any) -> None:
    def add(spawner: Any, pod: Any) -> Any:
        pod.spec.init_containers = [BLOCKER]
        return pod

    with pytest.raises(PodRefused, match="not the container"):
        await sent(make(settings=LISTED, modify_pod_hook=add))


# What rules see, and what is remembered

STAFF = [
    {"slug": "staff", "display_name": "For staff", "allow_if": "claims.role == 'staff'"},
    {"slug": "guest", "display_name": "For guests", "allow_if": "claims.role == 'guest'"},
]


async def test_form_and_decision_see_the_claims_of_the_identity(make: Any) -> None:
    """Not those of the authenticator, where another source comes first."""
    campus = {"type": "fixed", "name": "campus", "values": {"claims": {"role": "guest"}}}
    settings = settings_of(sources=[campus, {"type": "auth_state"}])
    spawner = make(STAFF, settings=settings)
    page = await spawner._render_permitted()
    assert "For guests" in page
    assert "For staff" not in page
    assert await granted_to(spawner) == "guest"
    refusal = await refusal_of(spawner, {"profile": "staff"})
    assert refusal.reason is PolicyReason.PROFILE


async def test_d25_form_of_somebody_without_identity_is_a_refusal(make: Any) -> None:
    spawner = make(STAFF, person=None)
    with pytest.raises(SpawnRefused, match="administrators") as refused:
        await spawner._render_permitted()
    assert refused.value.status_code == 403


async def test_ids_are_remembered_across_a_restart(make: Any) -> None:
    spawner = make()
    await spawner.load_user_options()
    state = json.loads(json.dumps(spawner.get_state()))
    assert (state["jhext"]["uid"], state["jhext"]["gid"]) == (1001, 2001)
    restarted = make(person=None)
    restarted.load_state(state)
    assert restarted.get_state()["jhext"] == state["jhext"]
    restarted.clear_state()
    assert "jhext" not in restarted.get_state()


async def test_d24_no_token_is_kept_or_logged(make: Any, caplog: Any) -> None:
    spawner = make()
    spawner.user.auth_state["access_token"] = "kept-secret"
    with caplog.at_level("DEBUG"):
        pod = await sent(spawner)
    assert "kept-secret" not in caplog.text + json.dumps([pod, spawner.get_state()])


async def test_spawners_of_one_hub_ask_one_resolver(make: Any) -> None:
    asked: list[str] = []

    def campus(person: Person) -> Any:
        asked.append(person.name)
        return ANN

    settings = settings_of(sources=[{"type": "function", "function": campus}])
    for _ in range(3):
        await make(settings=settings).load_user_options()
    await make(settings=settings, user="bob").load_user_options()
    assert asked == ["ann", "bob"]


def test_resolver_is_closed_when_the_hub_ends() -> None:
    """The hub cancels what still runs, as `asyncio.run` does."""
    identity = settings_of(sources=[{"type": "function", "function": lambda person: ANN}]).identity
    assert identity

    async def hub() -> Resolver:
        resolver = resolver_of(identity, logging.getLogger())
        assert resolver is resolver_of(identity, logging.getLogger())
        assert (await resolver.resolve(Person("ann"))).uid == 1001
        return resolver

    ended, other = asyncio.run(hub()), asyncio.run(hub())
    assert ended is not other
    with pytest.raises(IdentityUnavailable, match="RuntimeError"):
        asyncio.run(ended.resolve(Person("bob")))


@pytest.mark.parametrize("made", [None, {}, {"metadata": {}}, "pod"])
async def test_a_hook_that_gives_no_pod_is_the_operators_to_mend(make: Any, made: Any) -> None:
    spawner = make()
    await spawner.load_user_options()
    with pytest.raises(Refusal) as caught:
        await spawner.before_pod_create(made)
    assert caught.value.reason is PolicyReason.CONFIG
    assert "modify_pod_hook" in caught.value.detail
