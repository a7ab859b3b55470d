"""D-16, D-26: names of claims are KubeSpawner's, valid, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kubespawner import KubeSpawner

from jhext.storage.names import DEFAULTS, check_name, escaped_name, is_name, name_of
from tests.unit.storage.claims_of import owner

NASTY = ["alice", "Alice", "alice@uni.edu", "a-b", "a_b", "a--b", "1a", "-a", "测试", "x" * 200]
USERS = st.one_of(st.sampled_from(NASTY), st.text(min_size=1, max_size=64))
SERVERS = st.one_of(st.just(""), st.sampled_from(NASTY), st.text(max_size=64))
TEMPLATES = ["claim-{user_server}", "{claim}-{username}--{servername}"]


@pytest.mark.parametrize("template", TEMPLATES)
@given(pairs=st.tuples(USERS, SERVERS, USERS, SERVERS))
def test_d16_two_servers_never_share_a_name(template: str, pairs: tuple[str, ...]) -> None:
    user, server, other, others = pairs
    assume((user, server) != (other, others))
    names = [name_of(template, "home", owner(*pair)) for pair in ((user, server), (other, others))]
    assert names[0] != names[1]
    assert all(map(is_name, names))


@given(user=USERS, other=USERS)
def test_d26_two_people_never_share_a_name(user: str, other: str) -> None:
    assume(user != other)
    assert name_of(DEFAULTS["user"], "home", owner(user)) != name_of(
        DEFAULTS["user"], "home", owner(other)
    )


@pytest.mark.parametrize("user", NASTY)
@pytest.mark.parametrize("server", ["", "gpu-1", "A b", "y" * 60])
@pytest.mark.parametrize("template", ["claim-{user_server}", "c-{username}--{servername}"])
async def test_names_are_those_that_kubespawner_makes(
    make_spawner: Any, user: str, server: str, template: str
) -> None:
    spawner = make_spawner(
        kind=KubeSpawner, user=user, name=server, pvc_name_template=template, pod_name_template="p"
    )
    assert spawner.pvc_name == name_of(template, "home", owner(user, server))
    escaped = spawner._expand_user_properties(template, slug_scheme="escape")
    assert escaped == escaped_name(template, "home", owner(user, server))


@pytest.mark.parametrize(
    ("template", "per", "problem"),
    [
        ("claim-{user}", "user", "did you mean"),
        ("claim-{userid}", "user", "unknown field"),
        ("claim-{username!r}", "user", "a name in braces and nothing else"),
        ("claim-{username.name}", "user", "a name in braces and nothing else"),
        ("claim-{username:>9}", "user", "a name in braces and nothing else"),
        ("claim-{", "user", "claim-{"),
        ("claim", "user", "{username}"),
        ("claim-{username}", "server", "{user_server}"),
        ("claim-{username}-{servername}", "server", "a-b and c"),
        ("claim-{servername}{username}", "server", "a-b and c"),
        ("claim-{user_server}", "user", "unknown field"),
        ("claim", "group", "{group}"),
        ("Claim-{username}", "user", "small letters"),
        ("-{username}", "user", "small letters"),
        ("x" * 210 + "{username}", "user", "253 are allowed"),
    ],
)
def test_d16_bad_templates_are_found_before_anybody_starts(
    template: str, per: Any, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem.replace("{", r"\{")):
        check_name(template, "home", per)


@pytest.mark.parametrize("per", DEFAULTS)
def test_names_by_default_are_good(per: Any) -> None:
    check_name(DEFAULTS[per], "home", per)
