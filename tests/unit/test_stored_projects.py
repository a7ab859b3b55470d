"""Servers that work as a project because of what they mount."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from jhext.identity.errors import Reason
from jhext.profiles.finding import ConfigurationError
from jhext.refusal import Refusal
from jhext.settings import Settings, load_settings
from jhext.storage.errors import StorageReason
from tests.unit.spawning import refusal_of
from tests.unit.test_identified import ANN, ANYBODY, PROJECT, containers_of, ids_in, sent
from tests.unit.test_stored import HOME, IDENTITY

MOUNT: dict[str, Any] = {
    "name": "exp42",
    "source": {"type": "host_path", "path": "/exp42"},
    "mount_path": "/exp42",
    "act_as": PROJECT,
}
TWO = [ANYBODY[0], {"slug": "exp", "display_name": "Experiment", "allow_all": True}]


def settings_of(*mounts: dict[str, Any], **more: Any) -> Settings:
    return load_settings({"identity": IDENTITY, "storage": {"mounts": mounts} | more})


@pytest.fixture
def make(make_spawner: Any) -> Callable[..., Any]:
    def make_stored(*mounts: Any, profiles: Any = ANYBODY, person: Any = ANN, **more: Any) -> Any:
        more.setdefault("settings", settings_of(*mounts))
        options = more.pop("options", {})
        return make_spawner(profiles, options, auth_state={"jhext": person}, **more)

    return make_stored


def decisions(caplog: Any) -> list[dict[str, Any]]:
    said = [text.partition("spawn-decision ")[2] for text in caplog.messages]
    return [json.loads(text) for text in said if text]


async def test_server_runs_as_the_project_of_a_mount(make: Any, caplog: Any) -> None:
    spawner = make({**MOUNT, "allow_all": True}, extra_containers=[{"name": "a", "image": "a"}])
    with caplog.at_level("INFO"):
        pod = await sent(spawner)
    for holder in (pod["spec"], *containers_of(pod)):
        assert ids_in(holder["securityContext"]) == (4200, 4200)
    assert pod["spec"]["securityContext"]["supplementalGroups"] == [4300]
    files = pod["metadata"]["annotations"]
    assert "ann:x:4200:4200:" in files["jhext.io/passwd"]
    assert "exp42:x:4200:" in files["jhext.io/group"]
    assert "5001" not in files["jhext.io/group"]
    record = spawner.get_state()["jhext"]
    assert (record["uid"], record["gid"]) == (4200, 4200)
    (event,) = decisions(caplog)
    assert (event["acts_as"], event["acts_as_by"]) == ("4200:4200", "mount exp42")


async def test_it_is_audited_without_profiles_too(make: Any, caplog: Any) -> None:
    spawner = make({**MOUNT, "allow_all": True}, profiles=None, default_access="allow")
    with caplog.at_level("INFO"):
        await spawner.load_user_options()
    (event,) = decisions(caplog)
    assert (event["decision"], event["profile"], event["acts_as"]) == ("allowed", "", "4200:4200")


@pytest.mark.parametrize(
    "rule", [{"allowed_users": ["bob"]}, {"profiles": ["exp"]}, {"allowed_groups": ["exp42"]}]
)
async def test_who_does_not_get_the_mount_stays_who_they_are(make: Any, rule: Any) -> None:
    spawner = make({**MOUNT, **rule}, profiles=TWO, options={"profile": "any"})
    assert ids_in((await sent(spawner))["spec"]["securityContext"]) == (1001, 2001)


async def test_it_ends_with_the_profile(make: Any) -> None:
    spawner = make({**MOUNT, "profiles": ["exp"]}, profiles=TWO)
    for slug, uid in (("exp", 4200), ("any", 1001), ("exp", 4200)):
        spawner.user_options = {"profile": slug}
        assert (await sent(spawner))["spec"]["securityContext"]["runAsUser"] == uid


async def test_start_keeps_the_rules_that_it_was_decided_by(make: Any) -> None:
    """Else a reload in between would mount a project's files for somebody else's uid."""
    spawner = make({**MOUNT, "allow_all": True})
    await spawner.load_user_options()
    spawner.mount_rules = ()
    pod = await spawner.before_pod_create(await spawner.get_pod_manifest())
    assert "jhext-mount-exp42" in str(pod["spec"]["volumes"])
    assert pod["spec"]["securityContext"]["runAsUser"] == 4200


async def test_two_projects_are_refused_before_there_is_a_pod(make: Any, caplog: Any) -> None:
    other = {**MOUNT, "name": "exp7", "mount_path": "/exp7", "act_as": PROJECT | {"uid": 4207}}
    spawner = make({**MOUNT, "allow_all": True}, {**other, "allow_all": True})
    refusal = await refusal_of(spawner)
    assert (refusal.status_code, refusal.reason) == (409, StorageReason.PROJECTS)
    assert "mount exp42 and mount exp7" in refusal.message
    assert spawner.identity is None
    assert decisions(caplog)[-1]["reason"] == "storage_projects"


async def test_profile_and_mount_have_to_agree(make: Any) -> None:
    rule = {**MOUNT, "allow_all": True}
    same, other = ([ANYBODY[0] | {"act_as": PROJECT | {"gid": gid}}] for gid in (4200, 4300))
    context = (await sent(make(rule, profiles=same)))["spec"]["securityContext"]
    assert ids_in(context) == (4200, 4200)
    assert (await refusal_of(make(rule, profiles=other))).reason is StorageReason.PROJECTS


@pytest.mark.parametrize("ids", [{"uid": 0}, {"uid": 999}, {"gid": 0}, {"groups": {"root": 0}}])
async def test_d23_ranges_hold_for_the_project_of_a_mount(make: Any, ids: dict[str, Any]) -> None:
    refusal = await refusal_of(make({**MOUNT, "allow_all": True, "act_as": PROJECT | ids}))
    assert (refusal.status_code, refusal.reason) == (403, Reason.INVALID)
    assert "act_as" in refusal.detail


@pytest.mark.parametrize("identity", [None, {"mode": "platform"}])
async def test_it_needs_people_with_ids(make: Any, identity: Any) -> None:
    mounts = [{**MOUNT, "allow_all": True}]
    section = {"identity": identity} if identity else {}
    with pytest.raises(ConfigurationError, match="need the section identity, in mode user"):
        load_settings({"storage": {"mounts": mounts}, **section})
    # rules that are read while the hub runs
    spawner = make(settings=load_settings({"storage": {}, **section}))
    spawner.mount_rules = settings_of(*mounts).storage.mounts
    with pytest.raises(Refusal, match="mistake in the hub") as refused:
        spawner.run_as(None, None)
    assert "act_as" in refused.value.detail


async def test_home_stays_the_persons(make: Any) -> None:
    """Else a sharded layout would make a second, empty home; the person's is said to be theirs."""
    source = {"type": "host_path", "path": "/home/{uid_mod_100}/{username}"}
    init = {"create": "chown", "image": "python"}
    settings = load_settings(
        {
            "identity": IDENTITY,
            "pod": {"privileged_containers": ["jhext-directories"]},
            "storage": {
                "home": HOME | {"source": source},
                "mounts": [{**MOUNT, "allow_all": True}],
                "init": init,
            },
        }
    )
    pod = await sent(make(settings=settings))
    mounts = pod["spec"]["containers"][0]["volumeMounts"]
    assert {"name": "jhext-home", "mountPath": "/home/ann", "subPath": "1/ann"} in mounts
    (making,) = pod["spec"]["initContainers"]
    (home,) = json.loads(making["args"][1])["directories"]
    assert (home["path"], home["owner"]) == ("1/ann", 1001)
