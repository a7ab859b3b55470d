"""The sources that need no files: the host, functions, auth_state, fixed values."""

import asyncio
import grp
import os
import pwd
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from jhext.identity.auth_state import AuthStateSource
from jhext.identity.errors import IdentityRefused, IdentityUnavailable
from jhext.identity.fixed import FixedSource
from jhext.identity.function import FunctionSource
from jhext.identity.host import HostSource
from jhext.identity.pointers import Pointers
from jhext.identity.source import Only, Person, Workers


async def test_the_host_says_what_id_says(workers: Workers) -> None:
    account = pwd.getpwuid(os.getuid())
    answer = await HostSource("host", workers).lookup(Person(account.pw_name))
    assert answer is not None
    assert (answer["uid"], answer["gid"]) == (account.pw_uid, account.pw_gid)
    assert (answer["home"], answer["shell"]) == (account.pw_dir, account.pw_shell)
    primary = grp.getgrgid(account.pw_gid).gr_name
    assert {"name": primary, "gid": account.pw_gid} in answer["groups"]


@pytest.mark.parametrize("name", ["no-such-person", "", "a\0b", "\ud800", "a:b"])
async def test_the_host_does_not_know_others(name: str, workers: Workers) -> None:
    assert await HostSource("host", workers).lookup(Person(name)) is None


async def test_a_function_runs_in_a_thread(workers: Workers) -> None:
    def function(person: Person) -> dict[str, Any]:
        return {"home": f"/{person.name}", "thread": threading.current_thread().name}

    answer = await FunctionSource("function", function, workers).lookup(Person("ann"))
    assert answer is not None
    assert answer["home"] == "/ann"
    assert answer["thread"].startswith("jhext-identity")


async def test_an_async_function_runs_in_the_loop(workers: Workers) -> None:
    async def function(person: Person) -> dict[str, Any]:
        assert asyncio.get_running_loop()
        return {"uid": (person.auth_state or {})["id"]}

    source = FunctionSource("function", function, workers)
    assert await source.lookup(Person("ann", {"id": 7})) == {"uid": 7}
    hidden = FunctionSource("function", lambda person: function(person), workers)
    assert await hidden.lookup(Person("ann", {"id": 7})) == {"uid": 7}


@pytest.mark.parametrize("value", [1000, "1000", [("uid", 1000)], True])
async def test_a_function_gives_a_mapping_or_none(value: Any, workers: Workers) -> None:
    assert await FunctionSource("f", lambda _: None, workers).lookup(Person("ann")) is None
    with pytest.raises(IdentityUnavailable, match="not a mapping"):
        await FunctionSource("f", lambda _: value, workers).lookup(Person("ann"))


@pytest.mark.parametrize("state", [None, {}, {"jhext": None}, {"access_token": "x"}])
async def test_d25_without_auth_state_a_person_is_not_known(
    state: Mapping[str, Any] | None,
) -> None:
    assert await AuthStateSource("auth_state").lookup(Person("ann", state)) is None
    pointers = Pointers({"uid": "/oauth_user/uid"})
    assert await AuthStateSource("auth_state", pointers).lookup(Person("ann", state)) is None


async def test_the_schema_in_auth_state() -> None:
    own = {"version": 1, "uid": 1001, "sources": {"uid": "x"}, "resolved_at": "2026"}
    answer = await AuthStateSource("auth_state").lookup(Person("ann", {"jhext": own}))
    assert answer == {"uid": 1001}
    del own["version"]
    assert await AuthStateSource("auth_state").lookup(Person("ann", {"jhext": own})) == answer


@pytest.mark.parametrize(
    "state", [[], "x", {"jhext": 7}, {"jhext": [1]}, {"jhext": {"version": 2}}]
)
async def test_d25_a_malformed_auth_state_is_refused(state: Any) -> None:
    with pytest.raises(IdentityRefused):
        await AuthStateSource("auth_state").lookup(Person("ann", state))


async def test_any_part_of_auth_state() -> None:
    pointers = Pointers({"uid": "/user_attributes/uidNumber/0", "groups": "/group_map"})
    state = {"user_attributes": {"uidNumber": ["1001"]}, "group_map": {"lab": 5}, "token": "x"}
    answer = await AuthStateSource("auth_state", pointers).lookup(Person("ann", state))
    assert answer == {"uid": "1001", "groups": {"lab": 5}}


async def test_fixed_values_and_fields_that_do_not_count() -> None:
    fixed = FixedSource("fixed", {"gid": 100, "shell": "/bin/sh"})
    assert await fixed.lookup(Person("ann")) == {"gid": 100, "shell": "/bin/sh"}
    assert await Only(fixed, {"gid"}).lookup(Person("ann")) == {"gid": 100}
    assert await Only(AuthStateSource("a"), {"gid"}).lookup(Person("ann")) is None
    assert Only(AuthStateSource("a"), {"gid"}).reads_auth_state
