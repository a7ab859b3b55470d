"""Storage and the pod come together in the spawner: one home, mounted once, beside all else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jupyterhub import orm

from jhext import ProfileKubeSpawner
from jhext.errors import SpawnRefused
from jhext.profiles.finding import ConfigurationError
from jhext.refusal import Refusal
from jhext.settings import Settings, load_settings
from jhext.storage.errors import StorageReason, StorageRefused
from jhext.upstream import overridable_traits
from tests.unit.spawning import granted_to
from tests.unit.test_identified import ANN, ANYBODY, environment_in, sent

HOME: dict[str, Any] = {
    "source": {"type": "host_path", "path": "/home/{initial}/{username}"},
    "mount_path": "/home/{username}",
}
IDENTITY = {"sources": [{"type": "auth_state"}], "unique_uid": "off"}
VOLUME = {"name": "jhext-home", "hostPath": {"path": "/home/a/ann", "type": "Directory"}}
MOUNT = {"name": "jhext-home", "mountPath": "/home/ann"}


def settings_of(home: Any = HOME, **more: Any) -> Settings:
    return load_settings({"storage": {"home": home}, "identity": IDENTITY, **more})


@pytest.fixture
def make(make_spawner: Any) -> Callable[..., Any]:
    """Make spawners of a person whom the authenticator knows."""

    def make_stored(profiles: Any = ANYBODY, person: Any = ANN, **more: Any) -> Any:
        more.setdefault("settings", settings_of())
        return make_spawner(profiles, {}, auth_state={"jhext": person}, **more)

    return make_stored


async def test_one_setting_says_where_the_home_is(make: Any) -> None:
    pod = await sent(make())
    container = pod["spec"]["containers"][0]
    assert VOLUME in pod["spec"]["volumes"]
    assert MOUNT in container["volumeMounts"]
    assert container["workingDir"] == "/home/ann"
    assert environment_in(pod)["HOME"] == "/home/ann"
    assert environment_in(pod)["JUPYTERHUB_ROOT_DIR"] == "/home/ann"
    passwd = pod["metadata"]["annotations"]["jhext.io/passwd"].splitlines()[-1]
    assert passwd.split(":")[5] == "/home/ann"


async def test_it_does_so_without_identities_too(make: Any) -> None:
    pod = await sent(make(settings=load_settings({"storage": {"home": HOME}})))
    assert environment_in(pod)["HOME"] == "/home/ann"
    assert (
        "annotations" not in pod["metadata"]
        or "jhext.io/passwd" not in (pod["metadata"]["annotations"])
    )


async def test_where_the_server_works_can_be_configured_apart(make: Any) -> None:
    pod = await sent(make(working_dir="/lab", notebook_dir="/lab/books"))
    assert pod["spec"]["containers"][0]["workingDir"] == "/lab"
    environment = environment_in(pod)
    assert (environment["HOME"], environment["JUPYTERHUB_ROOT_DIR"]) == ("/home/ann", "/lab/books")


@pytest.mark.parametrize("shape", [list, dict])
async def test_what_is_configured_besides_stays(make: Any, shape: type) -> None:
    volume, mount = {"name": "data", "emptyDir": {}}, {"name": "data", "mountPath": "/data"}
    as_dict = {"volumes": {"d": volume}, "volume_mounts": {"d": mount}}
    as_list = {"volumes": [volume], "volume_mounts": [mount]}
    pod = await sent(make(**(as_dict if shape is dict else as_list)))
    assert [v["name"] for v in pod["spec"]["volumes"]] == ["data", "jhext-home", "jhext-nss"]
    assert pod["spec"]["containers"][0]["volumeMounts"][:2] == [mount, MOUNT]


@pytest.mark.parametrize("path", ["/home/ann", "/home/ann/", "//home/ann", "/home/./ann"])
async def test_two_things_in_one_place_are_refused(make: Any, path: str) -> None:
    mounts = [{"name": "data", "mountPath": path}]
    spawner = make(volumes=[{"name": "data", "emptyDir": {}}], volume_mounts=mounts)
    with pytest.raises(StorageRefused) as refused:
        await sent(spawner)
    assert refused.value.reason is StorageReason.MOUNT
    assert "data" in refused.value.detail
    assert "singleuser.storage.type: none" in refused.value.detail


async def test_hook_cannot_take_the_place_of_the_home(make: Any) -> None:
    def hook(spawner: Any, pod: Any) -> Any:
        pod.spec.volumes.append({"name": "jhext-home", "emptyDir": {}})
        return pod

    with pytest.raises(StorageRefused, match="one place"):
        await sent(make(modify_pod_hook=hook))


async def test_home_of_the_directory_that_is_elsewhere_is_refused(make: Any) -> None:
    source = {"type": "host_path", "path": "{home}", "roots": [{"path": "/u"}]}
    settings = settings_of({"source": source})
    assert await sent(make(settings=settings, person=ANN | {"home": "/u/ann"}))
    with pytest.raises(StorageRefused, match="not where it should be"):
        await sent(make(settings=settings, person=ANN | {"home": "/etc"}))


@pytest.mark.parametrize(
    ("path", "needs"),
    [("/home/{initial}/{username}", False), ("/home/{uid}", True), ("{home}", True)],
)
@pytest.mark.parametrize("identity", [None, {"mode": "platform"}, IDENTITY])
def test_home_that_needs_ids_is_refused_where_nobody_has_any(
    path: str, needs: bool, identity: Any
) -> None:
    home = {"source": {"type": "nfs", "server": "s", "path": path, "roots": [{"path": "/home"}]}}
    settings = {"storage": {"home": home}} | ({"identity": identity} if identity else {})
    if needs and identity is not IDENTITY:
        with pytest.raises(ConfigurationError, match="need the section identity, in mode user"):
            load_settings(settings)
    else:
        assert load_settings(settings)


async def test_nothing_changes_without_the_section(make: Any) -> None:
    pod = await sent(make(settings=load_settings({"identity": IDENTITY})))
    assert "jhext-home" not in str(pod)


# What profiles say


def with_claims(**override: Any) -> list[dict[str, Any]]:
    return [{**ANYBODY[0], "kubespawner_override": {"storage_claims": override}}]


async def test_profile_says_how_large_a_claim_is_and_it_is_forgotten(make: Any) -> None:
    spawner = make(with_claims(home={"size": "5Gi"}))
    await granted_to(spawner)
    assert spawner.storage_claims == {"home": {"size": "5Gi"}}
    spawner.clear_state()
    assert spawner.storage_claims == {}


@pytest.mark.parametrize(
    "override", [{"size": "much"}, {"name": "x"}, {"retention": "keep"}, {"sise": "1Gi"}, "5Gi"]
)
def test_lint_finds_what_no_profile_can_say(override: Any) -> None:
    traits = overridable_traits(ProfileKubeSpawner)
    assert traits.problem("storage_claims", {"home": override})
    assert traits.problem("storage_claims", {"home": {"size": "5Gi"}}) is None


async def test_profile_cannot_make_a_home_a_raw_device(make: Any) -> None:
    storage = {"home": {"source": {"type": "claim"}}, "claims": {"home": {}}}
    profiles = with_claims(home={"volume_mode": "Block"})
    with pytest.raises(Refusal) as refused:
        await sent(make(profiles, settings=load_settings({"storage": storage})))
    assert "claims.home.volume_mode: a raw device" in refused.value.detail


async def test_claim_that_is_not_there_is_a_faulty_configuration(make: Any) -> None:
    spawner = make(with_claims(scratch={"size": "5Gi"}))
    with pytest.raises(Refusal) as refused:
        await sent(spawner)
    assert "no claim 'scratch'" in refused.value.detail


# What is remembered


async def test_names_of_claims_outlive_the_stop_of_a_server(make: Any) -> None:
    spawner = make()
    assert "jhext_claims" not in spawner.get_state()
    spawner.load_state({"jhext_claims": {"home": "claim-ann"}})
    spawner.clear_state()
    assert spawner.get_state()["jhext_claims"] == {"home": "claim-ann"}


MADE = {"init": {"create": "user", "image": "python"}}


def home_at(path: str) -> Settings:
    home = {"source": {"type": "host_path", "path": path}}
    return load_settings({"storage": {"home": home, **MADE}})


async def started(spawner: Any, *, fails: bool = False) -> str:
    """Let a start succeed or fail, and tell what was said of where the home was before."""

    async def start() -> dict[str, Any]:
        pod = await sent(spawner)
        if fails:
            raise Refusal(StorageReason.UNPREPARED, "No.")
        return pod

    (making,) = (await sent(spawner))["spec"]["initContainers"]
    try:
        await spawner.starting(start())
    except SpawnRefused:
        assert fails
    before: str = json.loads(making["args"][1])["directories"][0]["moved_from"]
    return before


async def test_changed_template_makes_no_second_home(make: Any) -> None:
    first = make(settings=home_at("/home/{username}"))
    assert await started(first) == ""
    assert await started(first) == ""
    moved = make(settings=home_at("/home/{initial}/{username}"))
    moved.load_state(first.get_state())
    assert await started(moved, fails=True) == "/home/ann"
    moved.clear_state()
    assert await started(moved) == "/home/ann"  # a start that failed has not moved it
    assert await started(moved) == ""
    assert moved.get_state()["jhext_home"] == "/home/a/ann"


async def test_directory_is_not_made_where_the_home_was_a_claim(make: Any) -> None:
    spawner = make(settings=home_at("/home/{username}"))
    spawner.load_state({"jhext_home": "claim-ann"})
    assert await started(spawner) == "claim-ann"
    assert await started(spawner) == ""


@pytest.mark.parametrize(
    ("path", "before"), [("/u/{username}", "/home/ann"), ("/u/{username}/{servername}", "")]
)
async def test_next_server_of_a_person_makes_no_second_home(
    make: Any, path: str, before: str
) -> None:
    spawner = make(settings=home_at(path), name="gpu")
    spawner.user.orm_spawners[""] = orm.Spawner(name="", state={"jhext_home": "/home/ann"})
    assert await started(spawner) == before
