"""The section ``identity``."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from jhext.identity import settings as module
from jhext.identity.build import build_resolver
from jhext.identity.errors import IdentityRefused
from jhext.identity.settings import IdentitySettings
from jhext.identity.source import Person

FIXED = {"type": "fixed", "values": {"uid": 1001, "gid": 2001}}
REST = {
    "type": "rest",
    "url": "https://ids.example.org/people/{username}",
    "fields": {"uid": "/uid"},
}
BOTH = {"type": "github", "groups": ["teams", "organizations"]}
TEAMS = {"type": "github"}
SAME = {"team_gid_offset": 7, "organization_gid_offset": 7}


def parsed(*sources: dict[str, Any], **more: Any) -> IdentitySettings:
    return IdentitySettings.model_validate({"sources": list(sources), **more})


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({}, "at least one"),
        ({"sources": [FIXED], "mode": "platform"}, "mode platform asks nobody"),
        ({"allocate": {}, "mode": "platform"}, "mode platform asks nobody"),
        ({"allocate": {"users": [10, 9]}}, "larger than the last"),
        ({"allocate": {"users": [5000, 5100], "groups": [5100, 5200]}}, "numbers in common"),
        ({"allocate": {"users": [500, 5100]}}, "allocate.users: not between 1000"),
        ({"allocate": {"groups": [50, 60]}}, "allocate.groups: not between 100"),
        ({"allocate": {"users": [60000, 70000]}}, "65534 is reserved"),
        ({"sources": [FIXED, FIXED]}, "a name of its own: fixed"),
        ({"sources": [FIXED], "min_uid": 5, "max_uid": 4}, "larger than the largest"),
        ({"sources": [FIXED], "min_uid": "1000"}, "valid integer"),
        ({"sources": [FIXED], "max_uid": 2**31}, "less than or equal"),
        ({"sources": [FIXED], "deadline": 0}, "greater than 0"),
        ({"sources": [FIXED], "ttl": "-1s"}, "no duration"),
        ({"sources": [FIXED], "ttl": True}, "no duration"),
        ({"sources": [FIXED], "serve_stale": "8d"}, "less than or equal"),
        ({"sources": [FIXED], "required": ["uidNumber"]}, "'username'"),
        ({"sources": [FIXED], "alow_root": True}, "not permitted"),
        ({"sources": [FIXED], "unique_uid": "maybe"}, "'refuse'"),
        ({"sources": [FIXED], "ledger": "postgresql://hub:pw@db/ids"}, "has a password"),
        ({"sources": [FIXED], "ledger": "ids.sqlite"}, "not the URL of a database"),
        ({"sources": [FIXED], "default_shell": "bash"}, "no path"),
        ({"sources": [{**FIXED, "values": {"root": 1}}]}, "'username'"),
        ({"sources": [{"type": "ldab"}]}, "ldab"),
        ({"sources": [BOTH]}, "give team_gid_offset"),
        ({"sources": [{**BOTH, **SAME}]}, "give team_gid_offset"),
        ({"sources": [TEAMS], "user_private_groups": True}, "give team_gid_offset"),
        ({"sources": [{"type": "files"}]}, "needs passwd, group, or both"),
        ({"sources": [{"type": "table", "path": "people.txt"}]}, "pattern"),
        ({"sources": [{"type": "function", "function": "os:nothing"}]}, "nothing"),
        ({"sources": [{"type": "function", "function": "os:sep"}]}, "callable"),
        ({"sources": [{**REST, "url": "http://x.org/{username}"}]}, "set allow_http"),
        ({"sources": [{**REST, "url": "https://{username}.x.org/"}]}, "in the path"),
        ({"sources": [{**REST, "url": "https://x.org/"}]}, "no {username}"),
        ({"sources": [{**REST, "url": "https://u:p@x.org/{username}"}]}, "give a header"),
        ({"sources": [{**REST, "url": "https://x.org/{username}/{uid}"}]}, "only placeholder"),
        ({"sources": [{**REST, "url": "file:///etc/{username}"}]}, "absolute http"),
        ({"sources": [{**REST, "fields": {"uid": "uid"}}]}, "no JSON pointer"),
        ({"sources": [{**REST, "headers": {"A": {"env": "X", "file": "y"}}}]}, "must be"),
    ],
)
def test_mistakes_are_told(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as error:
        IdentitySettings.model_validate(wrong)
    assert why in str(error.value)


def test_teams_and_organizations_whose_numbers_are_moved_apart() -> None:
    parsed({**BOTH, "team_gid_offset": 1_000_000_000})
    parsed({**BOTH, "groups": ["teams"]})


@pytest.mark.parametrize(
    "more",
    [
        {"team_gid_offset": 1_000_000_000},
        {"groups": ["organizations"]},
        {"provides": ["subject", "gecos"]},
        {"provides": ["uid"]},
    ],
)
def test_private_groups_that_no_team_can_have(more: dict[str, Any]) -> None:
    """People and organizations are counted together at GitHub."""
    parsed({**TEAMS, **more}, user_private_groups=True)


def test_times_are_written_as_everywhere() -> None:
    settings = parsed(FIXED, deadline="1m30s", ttl=0.5, serve_stale=0)
    assert (settings.deadline, settings.ttl, settings.serve_stale) == (90, 0.5, 0)


def test_secrets_in_the_address_of_the_ledger_are_not_repeated() -> None:
    with pytest.raises(ValidationError) as error:
        parsed(FIXED, ledger="postgresql://hub:hunter2@db/ids")
    assert "hunter2" not in str(error.value.errors(include_input=False))


def test_every_field_is_described() -> None:
    models = [
        model
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, BaseModel)
    ]
    undescribed = {
        f"{model.__name__}.{name}"
        for model in models
        if model.__module__ == module.__name__
        for name, field in model.model_fields.items()
        if not field.description and name != "type"
    }
    assert not undescribed
    assert IdentitySettings.model_json_schema()["properties"]


async def test_a_chain_of_every_kind(tmp_path: Path) -> None:
    passwd = tmp_path / "passwd"
    passwd.write_text("ann:x:1001:2001:::/bin/zsh\n")
    people = tmp_path / "people.yaml"
    people.write_text("ann: {home: /nfs/2/ann}\n")
    rows = tmp_path / "people.csv"
    rows.write_text("name,email\nann,ann@example.org\n")
    settings = parsed(
        {"type": "auth_state"},
        {"type": "auth_state", "name": "oauth", "fields": {"gecos": "/oauth_user/name"}},
        {"type": "files", "passwd": str(passwd), "provides": ["uid", "gid"]},
        {"type": "table", "path": str(people)},
        {"type": "table", "name": "csv", "path": str(rows)},
        {"type": "function", "function": lambda person: {"claims": {"is": person.name}}},
        {"type": "fixed", "values": {"shell": "/bin/sh"}},
        ledger=f"sqlite:///{tmp_path}/uids.sqlite",
    )
    resolver = build_resolver(settings)
    state = {"jhext": {"groups": {"lab": 5001}}, "oauth_user": {"name": "Ann Lee"}}
    identity = await resolver.resolve(Person("ann", state))
    with pytest.raises(IdentityRefused):
        await resolver.resolve(Person("bob"))
    await resolver.close()
    assert (tmp_path / "uids.sqlite").exists()
    assert dict(identity.sources) == {
        "username": "the hub",
        "uid": "files",
        "gid": "files",
        "groups": "auth_state",
        "gecos": "oauth",
        "home": "table",
        "email": "csv",
        "claims": "function",
        "shell": "fixed",
    }


async def test_the_host_as_the_settings_name_it() -> None:
    resolver = build_resolver(parsed({"type": "host"}, unique_uid="off", min_uid=0))
    with pytest.raises(IdentityRefused, match="no source knows"):
        await resolver.resolve(Person("no-such-person"))
    await resolver.close()


def test_building_touches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    build_resolver(parsed(REST, {"type": "host"}))
    assert not list(tmp_path.iterdir())
