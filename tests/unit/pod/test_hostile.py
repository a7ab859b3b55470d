"""Whatever a directory says of a person: it never comes to mean something else.

``JHEXT_FUZZ_EXAMPLES`` sets how many people are tried.
"""

import os
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from jhext import ProfileKubeSpawner
from jhext.identity.errors import IdentityRefused
from jhext.identity.model import Identity
from jhext.identity.precedence import Rules, combine
from jhext.pod.finish import PodRefused, expected_of, expected_on_platform, finish
from jhext.pod.manifest import containers
from jhext.pod.nss import GROUP, PASSWD
from jhext.pod.settings import BASE_GROUP, BASE_PASSWD, PodSettings
from jhext.pod.verify import Configured
from tests.unit.pod.pods import ANN, kubespawner_pod

PLAIN = PodSettings()
HOME = "/home/jovyan"
EXAMPLES = int(os.environ.get("JHEXT_FUZZ_EXAMPLES", "150"))

HOSTILE = st.sampled_from(
    [
        "root",
        "x:0:0:",
        "a\nroot::0:0:::",
        "$(JUPYTERHUB_API_TOKEN)",
        "$$(HOME)",
        "../../etc",
        "/home/../root",
        "; rm -rf /",
        "`id`",
        "a'b\"c",
        "\u2028",
        "\u202e",
        "\ud800",
        "\0",
        "{username}",
        "%s",
        "-rf",
        "0",
        "1e3",
        "a" * 300,
    ]
)
TEXT = st.one_of(HOSTILE, st.text(max_size=40), st.lists(HOSTILE, max_size=3).map("".join))
STORABLE = TEXT.filter(lambda text: "\ud800" not in text)  # else no hub has it in its database
SOUND = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
ANYTHING = st.one_of(TEXT, st.integers(), st.none(), st.booleans(), st.floats(), st.just([]))


def mostly(sound: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make values that are often acceptable, so that many people get as far as a pod."""
    return st.integers(0, 19).flatmap(lambda number: ANYTHING if number == 7 else sound)


NUMBERS = mostly(st.integers(1000, 1010))
ANSWERS = st.fixed_dictionaries(
    {"uid": NUMBERS, "gid": NUMBERS},
    optional={
        "username": mostly(SOUND),
        "home": mostly(SOUND.map("/home/{}".format)),
        "shell": ANYTHING,
        "gecos": TEXT,
        "email": ANYTHING,
        "subject": mostly(SOUND),
        "claims": mostly(st.dictionaries(TEXT, TEXT, max_size=2)),
        "groups": st.one_of(
            st.dictionaries(st.one_of(SOUND, TEXT), NUMBERS, max_size=5),
            st.lists(
                st.fixed_dictionaries({"name": st.one_of(SOUND, ANYTHING), "gid": NUMBERS}),
                max_size=5,
            ),
        ),
    },
)


def read(text: str, fields: int) -> list[list[str]]:
    """Read lines as the C library does, and everything else that ends a line for somebody."""
    assert text.endswith("\n")
    assert len(text.splitlines()) == text.count("\n")
    lines = [line.split(":") for line in text.splitlines()]
    assert {len(line) for line in lines} == {fields}
    return lines


def check_passwd(text: str, identity: Identity) -> None:
    lines = read(text, 7)
    base = [line.split(":") for line in BASE_PASSWD.splitlines()]
    assert lines[: len(base)] == base
    (own,) = lines[len(base) :]
    assert own[:4] == [identity.username, "x", str(identity.uid), str(identity.gid)]
    assert own[4:] == [identity.gecos or "", HOME, identity.shell]


def check_group(text: str, identity: Identity) -> None:
    lines = read(text, 4)
    numbers = [number for _, _, number, _ in lines]
    assert len(set(numbers)) == len(numbers)
    names = {name: (int(number), members) for name, _, number, members in lines}
    assert len(names) == len(lines)
    assert names["root"] == (0, "")
    for group in identity.groups:
        members = "" if group.gid == identity.gid else identity.username
        assert names[group.name] == (group.gid, members)
    base = {line.split(":")[0] for line in BASE_GROUP.splitlines()}
    others = names.keys() - base - {group.name for group in identity.groups}
    assert {names[name] for name in others} <= {(identity.gid, "")}


def check_log_line(text: str) -> None:
    assert text.isascii()
    assert text.isprintable()


def expanded(value: str) -> str:
    """Read a variable as Kubernetes does; one that refers to another must not be there."""
    for reference in re.findall(r"\$\$|\$\([^)]*\)", value):
        assert reference == "$$"
    return value.replace("$$", "$")


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    person=st.one_of(SOUND, SOUND, TEXT),
    answers=st.lists(ANSWERS, min_size=1, max_size=2),
)
def test_d15_nothing_that_a_directory_says_means_something_else(
    person: str, answers: list[dict[str, Any]]
) -> None:
    named = [(f"s{number}", answer) for number, answer in enumerate(answers)]
    try:
        combined = combine(person, named, Rules(), datetime.now(UTC))
    except IdentityRefused as refusal:
        event(f"refused: {refusal.reason}")
        check_log_line(str(refusal))
        return
    event("a pod")
    for note in combined.notes:
        check_log_line(note)
    identity = combined.identity
    assert Identity.from_json(identity.to_json()) == identity
    manifest = kubespawner_pod()
    finish(manifest, expected_of(identity, HOME, PLAIN), PLAIN, Configured())
    annotations = manifest["metadata"]["annotations"]
    check_passwd(annotations[PASSWD], identity)
    check_group(annotations[GROUP], identity)
    for _, container in containers(manifest):
        context = container["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == (identity.uid, identity.gid)
        assert 1000 <= context["runAsUser"] < 2**31
    pod = manifest["spec"]["securityContext"]
    assert all(100 <= gid < 2**31 for gid in [pod["fsGroup"], *pod["supplementalGroups"]])
    environment = {
        variable["name"]: variable["value"] for variable in manifest["spec"]["containers"][0]["env"]
    }
    assert expanded(environment["USER"]) == identity.username
    assert expanded(environment["HOME"]) == HOME
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        assert "\n" not in expanded(environment.get(name, ""))


def label(user: str) -> str:
    spawner = SimpleNamespace(user=SimpleNamespace(name=user), name=user, component_label="server")
    granted = SimpleNamespace(profile=SimpleNamespace(slug="small"))
    labels = ProfileKubeSpawner._labels(spawner, granted)
    assert labels["jhext.io/server"] == labels["jhext.io/user"]
    return str(labels["jhext.io/user"])


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.one_of(SOUND, STORABLE), min_size=2, max_size=2, unique=True))
def test_d15_labels_are_valid_and_nobody_has_anothers(names: list[str]) -> None:
    labels = [label(name) for name in names]
    for name, value in zip(names, labels, strict=True):
        assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", value) or not name
    assert len(set(labels)) == 2


@pytest.mark.parametrize("name", ["gid1001", "ann"])
def test_d15_a_group_that_has_the_name_of_a_nameless_one(name: str) -> None:
    answer = {"uid": 1000, "gid": 1001, "groups": {"ann": 1002, "gid1001": 1003, name: 1004}}
    identity = combine("ann", [("s", answer)], Rules(), datetime.now(UTC)).identity
    manifest = kubespawner_pod()
    finish(manifest, expected_of(identity, HOME, PLAIN), PLAIN, Configured())
    check_group(manifest["metadata"]["annotations"][GROUP], identity)


@pytest.mark.parametrize("home", ["/home/ann\neve::0:0::/:", "/home/a:b", "/home/..", "home", ""])
def test_d15_a_home_in_the_container_that_is_no_path_is_refused(home: str) -> None:
    with pytest.raises(PodRefused, match="the home in the container"):
        expected_of(ANN, home, PLAIN)
    with pytest.raises(PodRefused, match="the home in the container"):
        expected_on_platform("ann", home, PodSettings())
