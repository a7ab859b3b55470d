"""``jhext ids``: what the ledger remembers, and what was allocated."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jhext.identity.build import ledger_of
from jhext.identity.ledger import Holder
from jhext.identity.source import Workers
from jhext.settings import load_settings

CONFIG = "identity: {sources: [{type: auth_state}], ledger: 'sqlite:///ids.sqlite'}\n"
ANN, BOB = Holder("campus", "8f14", "ann"), Holder("campus", "77aa", "bob")


async def claim(holder: Holder) -> Holder | None:
    settings = load_settings("jhext.yaml").identity
    assert settings
    workers = Workers(1)
    ledger = ledger_of(settings, workers)
    try:
        return await ledger.claim(1001, holder)
    finally:
        await ledger.close()
        workers.close()


def test_released_uid_is_for_the_next_one(shell: Any) -> None:
    shell.write(jhext__yaml=CONFIG)
    assert asyncio.run(claim(ANN)) is None
    assert asyncio.run(claim(BOB)) == ANN
    forgotten = shell("ids", "forget", "1001")
    assert forgotten.code == 0
    assert forgotten.stdout == "uid 1001 was ann's (source campus, subject 8f14)\n"
    assert shell("ids", "forget", "1001").code == 1
    assert asyncio.run(claim(BOB)) is None


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("profiles: []", "no ledger is kept"),
        ("identity: {mode: platform}", "no ledger is kept"),
        (CONFIG.replace("ledger", "unique_uid: 'off', ledger"), "no ledger is kept"),
        (CONFIG, "no such table"),
        (CONFIG.replace("sqlite:///", "nosql://:s3cret@"), "ledger"),
        (CONFIG.replace("'sqlite:///ids.sqlite'", "{env: JHEXT_NO_SUCH}"), "JHEXT_NO_SUCH"),
        ("identity: {sauces: []}", "sauces"),
    ],
)
def test_no_ledger_is_an_error_in_words(shell: Any, config: str, told: str) -> None:
    shell.write(jhext__yaml=config)
    answer = shell("ids", "forget", "1001")
    assert answer.code == 2
    assert told in answer.stderr
    assert "s3cret" not in answer.stderr


ALLOCATING = "identity: {allocate: {users: [5000, 5999]}, ledger: 'sqlite:///ids.sqlite'}\n"
MEMBERS = "ann:x:5001:100:Ann:/home/ann:/bin/bash\n\nbob:x:5002:100::/:/bin/sh\n"


def test_ids_are_taken_up_and_written(shell: Any) -> None:
    shell.write(jhext__yaml=ALLOCATING, passwd=MEMBERS, group="lab:x:2000001:ann,bob\n")
    assert shell("ids", "list").stdout == ""
    for form in ("passwd", "group"):
        assert shell("ids", "import", form, form).code == 0
        assert shell("ids", "import", form, form).code == 0
    assert shell("ids", "reserve", "user", "5000").code == 0
    assert shell("ids", "list").stdout.splitlines() == [
        "user         5000  -  reserved:5000",
        "user         5001  ann  name:ann",
        "user         5002  bob  name:bob",
        "group     2000001  lab  name:lab",
    ]
    assert shell("ids", "export", "passwd").stdout.splitlines() == [
        "ann:x:5001:5001::/home/ann:/bin/bash",
        "bob:x:5002:5002::/home/bob:/bin/bash",
    ]
    assert shell("ids", "export", "group").stdout == "lab:x:2000001:\n"
    ldif = shell("ids", "export", "ldif", "--base", "o=lab").stdout
    assert ldif.startswith("dn: uid=ann,ou=people,o=lab\nobjectClass: account\n")
    assert "\ndn: cn=lab,ou=groups,o=lab\nobjectClass: posixGroup\ncn: lab\n" in ldif


OTHER = ALLOCATING.replace("ids.sq", "other.sq")


@pytest.mark.parametrize("forms", [("passwd", "group"), ("ldif",), ("json",)])
def test_every_form_that_is_written_can_be_read(shell: Any, forms: tuple[str, ...]) -> None:
    shell.write(jhext__yaml=ALLOCATING, other__yaml=OTHER, passwd=MEMBERS)
    shell.write(group="lab:x:2000001:ann,bob\nlab-two:x:2000002:\n")
    for form in ("passwd", "group"):
        assert shell("ids", "import", form, form).code == 0
    for form in forms:
        shell.write(exported=shell("ids", "export", form).stdout)
        assert shell("ids", "import", form, "exported", "--config", "other.yaml").code == 0
    before = shell("ids", "list", "--output", "json").json
    assert shell("ids", "list", "--output", "json", "--config", "other.yaml").json == before
    assert len(before) == 4


def test_an_export_is_another_registrys_import(shell: Any) -> None:
    shell.write(jhext__yaml=ALLOCATING, other__yaml=OTHER)
    assert shell("ids", "reserve", "group", "2000000-2000002").code == 0
    exported = shell("ids", "export", "json")
    shell.write(ids__json=exported.stdout)
    assert shell("ids", "import", "json", "ids.json", "--config", "other.yaml").code == 0
    listed = shell("ids", "list", "--config", "other.yaml", "--output", "json")
    assert listed.json == exported.json
    assert len(listed.json) == 3


def test_what_stands_against_ids_is_listed_and_nothing_is_taken_up(shell: Any) -> None:
    shell.write(jhext__yaml=ALLOCATING, passwd=MEMBERS)
    assert shell("ids", "reserve", "user", "5002").code == 0
    refused = shell("ids", "import", "passwd", "passwd")
    assert refused.code == 1
    assert "5002  -  reserved:5002" in refused.stderr
    assert len(shell("ids", "list").stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("reserve", "user", "5000-"), "neither a number nor FIRST-LAST"),
        (("reserve", "bot", "5000"), "'bot' is not a valid Kind"),
        (("reserve", "user", "5001-5000"), "from 1 to 100000"),
        (("reserve", "user", "1-100001"), "from 1 to 100000"),
        (("import", "passwd", "hostile"), "hostile: line 1: 'root' is reserved"),
        (("import", "group", "hostile"), "line 1: 'root' is reserved"),
        (("import", "json", "hostile"), "hostile: "),
        (("import", "json", "object"), "is no list of ids"),
        (("import", "json", "keys"), "element 1: has not the keys"),
        (("import", "ldif", "hostile"), "line 1: an entry begins with its dn"),
        (("list", "--config", "none.yaml"), "no ids are allocated"),
    ],
)
def test_ids_that_cannot_be_read_are_told(shell: Any, arguments: Any, told: str) -> None:
    shell.write(jhext__yaml=ALLOCATING, none__yaml=CONFIG)
    shell.write(hostile="root:x:0:0::/:/bin/sh\n", object="{}", keys='[{"kind": "user"}]')
    answer = shell("ids", *arguments)
    assert answer.code == 2
    assert told in answer.stderr
