"""The last look at a manifest finds whatever is not as the identity says."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from jhext.pod.finish import PodRefused, expected_of, expected_on_platform, finish
from jhext.pod.manifest import Manifest
from jhext.pod.settings import PodSettings
from jhext.pod.verify import Configured, verify
from tests.unit.pod.pods import ANN, CLOUD_METADATA, kubespawner_pod

PLAIN = PodSettings()
LISTED = PodSettings(privileged_containers=frozenset({"block-cloud-metadata"}))
EXPECTED = expected_of(ANN, "/home/ann", PLAIN)
PLATFORM = expected_on_platform("ann", "/home/jovyan", PLAIN)


@pytest.fixture(scope="module")
def finished() -> Manifest:
    manifest = kubespawner_pod()
    finish(manifest, EXPECTED, PLAIN, Configured())
    return manifest


@pytest.fixture(scope="module")
def platform() -> Manifest:
    manifest = kubespawner_pod()
    finish(manifest, PLATFORM, PLAIN, Configured())
    return manifest


def change(manifest: Manifest, path: str, value: Any) -> Manifest:
    """Set what ``spec/containers/0/name`` leads to, say, in a copy; ``~`` is a slash in a name."""
    changed = copy.deepcopy(manifest)
    *steps, last = (step.replace("~", "/") for step in path.split("/"))
    target: Any = changed
    for step in steps:
        target = target[int(step)] if isinstance(target, list) else target.setdefault(step, {})
    if isinstance(target, list):
        target.append(value)
    else:
        target[last] = value
    return changed


CHANGES = [
    ("spec/hostPID", True),
    ("spec/hostIPC", True),
    ("spec/securityContext", {}),
    ("spec/securityContext/runAsUser", 0),
    ("spec/securityContext/runAsUser", "1001"),
    ("spec/securityContext/runAsUser", 1001.0),
    ("spec/securityContext/runAsGroup", 0),
    ("spec/securityContext/fsGroup", 0),
    ("spec/securityContext/fsGroup", None),
    ("spec/securityContext/supplementalGroups", [5001]),
    ("spec/securityContext/supplementalGroups", [5001, 5003, 0]),
    ("spec/securityContext/seccompProfile", {"type": "Unconfined"}),
    ("spec/securityContext/seccompProfile", None),
    ("spec/securityContext/appArmorProfile", {"type": "Unconfined"}),
    ("spec/securityContext/windowsOptions", {"hostProcess": True}),
    *(
        (f"metadata/annotations/{key}", "unconfined")
        for key in (
            "seccomp.security.alpha.kubernetes.io~pod",
            "container.seccomp.security.alpha.kubernetes.io~notebook",
            "container.apparmor.security.beta.kubernetes.io~notebook",
        )
    ),
    *(
        (f"spec/{container}/securityContext{path}", value)
        for container in ("containers/0", "containers/1", "initContainers/0")
        for path, value in [
            ("", None),
            ("/runAsUser", 0),
            ("/runAsUser", 1002),
            ("/runAsUser", None),
            ("/runAsGroup", 0),
            ("/runAsNonRoot", False),
            ("/allowPrivilegeEscalation", True),
            ("/allowPrivilegeEscalation", None),
            ("/privileged", True),
            ("/capabilities", {"add": ["SYS_ADMIN"], "drop": ["ALL"]}),
            ("/capabilities", {"drop": ["NET_RAW"]}),
            ("/capabilities", None),
            ("/procMount", "Unmasked"),
            ("/appArmorProfile", {"type": "Unconfined"}),
            ("/windowsOptions", {"runAsUserName": "ContainerAdministrator"}),
            ("/seccompProfile", {"type": "Unconfined"}),
        ]
    ),
    ("spec/ephemeralContainers", [{"name": "debug", "image": "x"}]),
    ("spec/containers/-", {"name": "more", "image": "x"}),
    ("spec/initContainers/-", {"name": "more", "image": "x", "restartPolicy": "Always"}),
]
OF_THE_FILES = [
    ("metadata/annotations/jhext.io~passwd", "root::0:0:::\n"),
    ("metadata/annotations", None),
    ("spec/volumes", []),
    ("spec/volumes/-", {"name": "jhext-nss", "emptyDir": {}}),
    ("spec/containers/0/volumeMounts", []),
    ("spec/initContainers/0/volumeMounts/-", {"name": "home", "mountPath": "/etc//passwd"}),
    ("spec/containers/1/volumeMounts/1/readOnly", False),
    ("spec/containers/0/env/-", {"name": "NB_UID", "value": "0"}),
    ("spec/containers/0/env/0/value", "eve"),
    ("spec/containers/0/env", None),
    ("metadata/annotations/filler", "x" * 262_144),
]


def test_a_finished_pod_is_as_it_should_be(finished: Manifest, platform: Manifest) -> None:
    assert verify(finished, EXPECTED, PLAIN, Configured()) == []
    assert verify(platform, PLATFORM, PLAIN, Configured()) == []


@pytest.mark.parametrize(("path", "value"), CHANGES + OF_THE_FILES)
def test_d21_every_change_of_who_runs_is_found(path: str, value: Any, finished: Manifest) -> None:
    assert verify(change(finished, path, value), EXPECTED, PLAIN, Configured())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *[item for item in CHANGES if item[1] is not None and item[0][-7:] != "fsGroup"],
        ("spec/securityContext/runAsUser", 1001),
        ("spec/securityContext/runAsGroup", 1001),
        ("spec/securityContext/fsGroup", 1001),
        ("spec/securityContext/supplementalGroups", []),
        ("spec/containers/0/securityContext/runAsUser", 1001),
        ("spec/initContainers/0/securityContext/runAsGroup", 1001),
    ],
)
def test_on_a_platform_every_id_is_found(path: str, value: Any, platform: Manifest) -> None:
    assert verify(change(platform, path, value), PLATFORM, PLAIN, Configured())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec/hostNetwork", True),
        ("spec/hostUsers", False),
        ("spec/securityContext/seccompProfile", {"type": "Localhost", "localhostProfile": "x"}),
        ("spec/containers/0/securityContext/procMount", "Default"),
        ("spec/containers/0/securityContext/readOnlyRootFilesystem", True),
        ("spec/volumes/-", {"name": "data", "emptyDir": {}}),
        ("metadata/labels", {"a": "b"}),
        ("metadata/annotations/container.apparmor.security.beta.kubernetes.io~x", "localhost/y"),
    ],
)
def test_what_changes_nobody_is_let_through(path: str, value: Any, finished: Manifest) -> None:
    assert verify(change(finished, path, value), EXPECTED, PLAIN, Configured()) == []


class TestPrivilegedContainers:
    """Containers that only the operator's configuration can define."""

    def finish(
        self, settings: PodSettings, container: Any, configured: Configured, **more: Any
    ) -> Manifest:
        manifest = kubespawner_pod(init_containers=[container], **more)
        finish(manifest, expected_of(ANN, "/", settings), settings, configured)
        return manifest

    def test_a_listed_one_is_sent_as_configured(self) -> None:
        manifest = self.finish(LISTED, CLOUD_METADATA, Configured.of([CLOUD_METADATA]))
        assert manifest["spec"]["initContainers"] == [CLOUD_METADATA]

    def test_an_unlisted_one_is_refused_and_both_cures_are_named(self) -> None:
        with pytest.raises(PodRefused) as refused:
            self.finish(PLAIN, CLOUD_METADATA, Configured.of([CLOUD_METADATA]))
        assert "spec.initContainers[0].securityContext.privileged" in refused.value.detail
        assert "pod.privileged_containers" in refused.value.detail
        assert "cloudMetadata.blockWithIptables" in refused.value.detail

    @pytest.mark.parametrize(
        "changed",
        [
            lambda container: container.update(image="evil"),
            lambda container: container.update(command=["sh", "-c", "id"]),
            lambda container: container.update(args=["x"]),
            lambda container: container.update(env=[{"name": "LD_PRELOAD", "value": "x"}]),
            lambda container: container.update(volumeMounts=[{"name": "home", "mountPath": "/h"}]),
            lambda container: container["securityContext"].update(capabilities={"add": ["ALL"]}),
            lambda container: container.pop("securityContext"),
        ],
    )
    def test_a_changed_one_is_refused(self, changed: Callable[[dict[str, Any]], Any]) -> None:
        container = copy.deepcopy(CLOUD_METADATA)
        changed(container)
        with pytest.raises(PodRefused, match="configuration defines"):
            self.finish(LISTED, container, Configured.of([CLOUD_METADATA]))

    def test_one_that_nobody_configured_is_refused(self) -> None:
        with pytest.raises(PodRefused, match="configuration defines"):
            self.finish(LISTED, CLOUD_METADATA, Configured())

    @pytest.mark.parametrize(
        "sent",
        [
            {"name": "data", "hostPath": {"path": "/"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "of-somebody-else"}},
        ],
    )
    def test_what_it_mounts_is_what_was_configured(self, sent: dict[str, Any]) -> None:
        mounts = [{"name": "data", "mountPath": "/data"}]
        container = {**CLOUD_METADATA, "volumeMounts": mounts}
        data = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
        configured = Configured.of([container], [data])
        home = {"name": "home", "persistentVolumeClaim": {"claimName": "claim-ann"}}
        self.finish(LISTED, container, configured, volumes=[home, data])
        with pytest.raises(PodRefused, match="not the volume"):
            self.finish(LISTED, container, configured, volumes=[home, sent])
        with pytest.raises(PodRefused, match="not the volume"):
            self.finish(LISTED, container, Configured.of([container]), volumes=[home, data])

    def test_the_notebook_is_never_one(self) -> None:
        settings = PodSettings(privileged_containers=frozenset({"notebook"}))
        manifest = kubespawner_pod(privileged=True)
        with pytest.raises(PodRefused, match="privileged"):
            finish(manifest, expected_of(ANN, "/", settings), settings, Configured())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec", None),
        ("spec/containers", []),
        ("spec/containers", None),
        ("spec/containers", ["x"]),
        ("spec/containers", {"name": "x"}),
        ("spec/initContainers", 7),
        ("spec/initContainers", [None]),
        ("spec/securityContext", "x"),
        ("spec/containers/0/securityContext", ["x"]),
        ("spec/containers/0/securityContext", {"capabilities": ["ALL"]}),
        ("spec/containers/0/env", ["x"]),
        ("spec/containers/0/volumeMounts", [7]),
        ("spec/volumes", "x"),
        ("metadata", None),
        ("metadata/annotations", ["x"]),
    ],
)
def test_what_is_not_formed_like_a_pod_is_refused(path: str, value: Any) -> None:
    with pytest.raises(PodRefused, match="not formed like a pod"):
        finish(change(kubespawner_pod(), path, value), EXPECTED, PLAIN, Configured())


def test_too_many_groups_are_told_early() -> None:
    manifest = kubespawner_pod(annotations={"notes": "x" * 262_000})
    with pytest.raises(PodRefused, match="too many groups"):
        finish(manifest, EXPECTED, PLAIN, Configured())


def test_the_person_is_told_nothing_of_the_inside() -> None:
    with pytest.raises(PodRefused) as refused:
        finish(kubespawner_pod(privileged=True), EXPECTED, PLAIN, Configured())
    assert (refused.value.status_code, refused.value.reason) == (503, "pod_refused")
    assert "privileged" not in refused.value.message
