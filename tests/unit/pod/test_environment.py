"""Variables that say who somebody is."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.pod.environment import (
    anonymous_variables,
    check_names,
    entries,
    is_reserved,
    set_variables,
    variables,
)
from jhext.pod.manifest import notebook
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
    others = dict(found[len(IDENTITY) :])
    assert {name for name in others if not name.startswith("GIT_CONFIG_")} == {
        "JUPYTERHUB_USER",
        "LD_LIBRARY_PATH",
        "PATH",
    }
    assert git_config(others) == {"user.name": "Ann Lee", "user.email": "ann@example.org"}


def git_config(environment: Mapping[str, str | None]) -> dict[str | None, str | None]:
    """Read the variables as git does (config.c, ``git_config_from_parameters``)."""
    return {
        environment[f"GIT_CONFIG_KEY_{number}"]: environment[f"GIT_CONFIG_VALUE_{number}"]
        for number in range(int(environment.get("GIT_CONFIG_COUNT") or 0))
    }


def test_git_is_told_what_is_known() -> None:
    manifest = kubespawner_pod(env={})
    set_variables(manifest, variables(replace(ANN, gecos=None), "/"))
    found = {item["name"]: item["value"] for item in notebook(manifest)["env"]}
    assert git_config(found) == {"user.email": "ann@example.org"}
    set_variables(manifest := kubespawner_pod(env={}), {"USER": "ann"})
    assert not [item for item in notebook(manifest)["env"] if "GIT" in item["name"]]


def test_git_is_left_alone_where_somebody_else_configures_it() -> None:
    theirs = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
    manifest = kubespawner_pod(env=theirs)
    set_variables(manifest, IDENTITY)
    found = {item["name"]: item["value"] for item in notebook(manifest)["env"]}
    assert git_config(found) == {"a.b": "c"}
    assert found["GIT_AUTHOR_NAME"] == "Ann Lee"


def test_d22_notebook_is_found_wherever_it_is() -> None:
    """A hook may put another container before it."""
    manifest = kubespawner_pod()
    inside = manifest["spec"]["containers"]
    inside.insert(0, {"name": "first", "image": "x"})
    set_variables(manifest, {"USER": "ann"})
    assert "env" not in inside[0]
    assert inside[1]["env"][0] == {"name": "USER", "value": "ann"}


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


@pytest.mark.parametrize("text", ["LD_PRELOAD", "NB_UID", "JUPYTERHUB_API_TOKEN", "GRANT_SUDO"])
def test_d22_free_text_is_no_reserved_name(text: str) -> None:
    written = {"environment": {"{value}": "x", "LD_LIBRARY_PATH": "{value}"}}
    with pytest.raises(ValueError, match="reserved"):
        check_names(written, {"environment": {text: "x", "LD_LIBRARY_PATH": text}})


@pytest.mark.parametrize(
    "overrides", [{}, {"environment": None}, {"environment": {"LD_LIBRARY_PATH": "/opt"}}]
)
def test_what_the_operator_names_is_the_operators_affair(overrides: dict[str, Any]) -> None:
    check_names(overrides, overrides)


@pytest.mark.parametrize("name", ["PATH", "MY_HOME", "USERS", "NB_PREFIX", "home", "GIT_EDITOR"])
def test_other_names_are_free(name: str) -> None:
    assert not is_reserved(name)


@given(st.text(alphabet="$()A\\{} x", max_size=12))
def test_values_mean_what_they_say(value: str) -> None:
    (entry,) = entries({"GIT_AUTHOR_NAME": value})
    assert as_kubernetes_reads(entry["value"], {"A": "secret", "": "secret"}) == value
