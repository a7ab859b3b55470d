"""Variables that say who somebody is."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.pod.environment import (
    anonymous_variables,
    entries,
    is_reserved,
    set_variables,
    variables,
)
from tests.unit.pod.pods import ANN, kubespawner_pod

IDENTITY = {
    "USER": "ann",
    "LOGNAME": "ann",
    "USERNAME": "ann",
    "NB_USER": "ann",
    "HOME": "/home/ann",
    "NB_UID": "1001",
    "NB_GID": "2001",
    "SHELL": "/bin/bash",
    "GIT_AUTHOR_NAME": "Ann Lee",
    "GIT_COMMITTER_NAME": "Ann Lee",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
}


def as_kubernetes_reads(value: str, known: dict[str, str]) -> str:
    """Replace ``$(NAME)`` as k8s.io/kubernetes/third_party/forked/golang/expansion does."""
    return re.sub(
        r"\$(\$|\(([^)]*)\))",
        lambda found: "$" if found[1] == "$" else known.get(found[2], found[0]),
        value,
    )


def test_a_person_has_all_of_them() -> None:
    assert variables(ANN, "/home/ann") == IDENTITY


@pytest.mark.parametrize("gecos", [None, "", " ,;: ", "<>", "'\"\\"])
def test_git_gets_no_name_that_it_would_refuse(gecos: str | None) -> None:
    values = variables(replace(ANN, gecos=gecos, email=None), "/")
    assert not [name for name in values if name.startswith("GIT_")]


def test_git_gets_the_name_without_what_it_strips() -> None:
    assert variables(replace(ANN, gecos="Ann <Lee>."), "/")["GIT_AUTHOR_NAME"] == "Ann Lee"


def test_on_a_platform_there_are_names_only() -> None:
    assert anonymous_variables("a\nn\0n", "/home/jovyan") == {
        "USER": "ann",
        "LOGNAME": "ann",
        "USERNAME": "ann",
        "NB_USER": "ann",
        "HOME": "/home/jovyan",
    }


def test_d22_they_win_over_everything_and_come_first() -> None:
    manifest = kubespawner_pod(
        env={
            "HOME": "/root",
            "NB_UID": "0",
            "USER": {"name": "USER", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            "GRANT_SUDO": "yes",
            "CHOWN_EXTRA": "/",
            "NSS_WRAPPER_PASSWD": "/tmp/passwd",
            "PATH": "$(HOME)/bin",
            "JUPYTERHUB_USER": "ann",
            "LD_LIBRARY_PATH": "/opt/lib",
        }
    )
    set_variables(manifest, IDENTITY)
    found = [(item["name"], item.get("value")) for item in manifest["spec"]["containers"][0]["env"]]
    assert found[: len(IDENTITY)] == list(IDENTITY.items())
    # What the operator configures may load libraries; what people send may not: is_reserved.
    assert [name for name, _ in found[len(IDENTITY) :]] == [
        "JUPYTERHUB_USER",
        "LD_LIBRARY_PATH",
        "PATH",
    ]


def test_other_containers_keep_their_environment() -> None:
    manifest = kubespawner_pod()
    set_variables(manifest, IDENTITY)
    assert "env" not in manifest["spec"]["initContainers"][0]


def test_a_container_without_an_environment_gets_one() -> None:
    manifest = kubespawner_pod(env={})
    set_variables(manifest, {"USER": "ann"})
    assert manifest["spec"]["containers"][0]["env"] == [{"name": "USER", "value": "ann"}]


@pytest.mark.parametrize(
    "name",
    [
        *IDENTITY,
        "NB_UMASK",
        "GRANT_SUDO",
        "CHOWN_HOME",
        "CHOWN_EXTRA_OPTS",
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "LD_AUDIT",
        "NSS_WRAPPER_PASSWD",
        "JUPYTERHUB_API_TOKEN",
        "KUBERNETES_SERVICE_HOST",
    ],
)
def test_d22_names_that_nobody_else_may_set(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["PATH", "MY_HOME", "USERS", "NB_PREFIX", "home", "GIT_EDITOR"])
def test_other_names_are_free(name: str) -> None:
    assert not is_reserved(name)


@given(st.text(alphabet="$()A\\{} x", max_size=12))
def test_values_mean_what_they_say(value: str) -> None:
    (entry,) = entries({"GIT_AUTHOR_NAME": value})
    assert as_kubernetes_reads(entry["value"], {"A": "secret", "": "secret"}) == value
