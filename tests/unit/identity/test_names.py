"""What may stand in a line of ``/etc/passwd`` or ``/etc/group``."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.identity import names
from jhext.identity.errors import BadValueError


@pytest.mark.parametrize("name", ["ann", "a", "Ann.Lee", "x_1", "ann@example.org", "1a", "a" * 255])
def test_names_of_people(name: str) -> None:
    assert names.user_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["lab", "domain users", "EXAMPLE\\staff", "lab-1", "a+b"],
)
def test_names_of_groups(name: str) -> None:
    assert names.group_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ann",
        "ann ",
        "-ann",
        "+ann",
        ".",
        "..",
        "1000",
        "ann:x",
        "ann\n",
        "ann\0",
        "ann,bob",
        "ann/bob",
        "$(id)",
        "änn",
        "\N{CYRILLIC SMALL LETTER A}nn",
        "a" * 256,
        "root",
        "nobody",
        None,
        7,
        ["ann"],
    ],
)
@pytest.mark.parametrize("check", [names.user_name, names.group_name])
def test_d15_other_names_are_refused(check: Callable[[Any], str], name: Any) -> None:
    with pytest.raises(BadValueError):
        check(name)


@pytest.mark.parametrize("path", ["/", "/home/ann", "/nfs/2/bob", "/home/Ännchen x"])
def test_paths(path: str) -> None:
    assert names.path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "home",
        "~",
        "/home/../root",
        "/home/.",
        "/..",
        "/home/ann:x",
        "/home/ann\n",
        "/a\u2028b",
        "/a\ud800",
        "/" + "a" * 4096,
        None,
    ],
)
def test_d15_other_paths_are_refused(path: Any) -> None:
    with pytest.raises(BadValueError):
        names.path(path)


@pytest.mark.parametrize(
    ("given_shell", "shell"),
    [("/bin/zsh", "/bin/zsh"), ("/sbin/nologin", ""), ("/bin/false", ""), ("/usr/bin/true", "")],
)
def test_shells_that_are_none_become_empty(given_shell: str, shell: str) -> None:
    assert names.shell(given_shell) == shell


@pytest.mark.parametrize("shell", ["bash", "/bin/ba sh", "/bin/sh -c id", "/bin/sh\n", "/", None])
def test_other_shells_are_refused(shell: Any) -> None:
    with pytest.raises(BadValueError):
        names.shell(shell)


@pytest.mark.parametrize("email", ["ann", "@x", "a b@x.org", "<a@x.org>", "a@x.org\n", "a@x y", 3])
def test_other_mail_addresses_are_refused(email: Any) -> None:
    assert names.email("ann@example.org") == "ann@example.org"
    with pytest.raises(BadValueError):
        names.email(email)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Ann Lee", "Ann Lee"),
        ("Lee, Ann", "Lee, Ann"),
        ("José Ñandú 李", "José Ñandú 李"),
        ("a:0:0:root:/:/bin/sh", "a 0 0 root / /bin/sh"),
        ("Ann\nroot::0:0:::", "Annroot 0 0"),
        ("Ann\u2028\x85\x0b\u202eeel", "Anneel"),
        ("\ud800", ""),
        ("x" * 300, "x" * 255),
    ],
)
def test_full_names_are_cleaned(text: str, cleaned: str) -> None:
    assert names.gecos(text) == cleaned


@given(st.text(alphabet=st.characters(), max_size=300))
def test_full_names_stay_one_field_of_one_line(text: str) -> None:
    cleaned = names.gecos(text)
    assert ":" not in cleaned
    assert len(cleaned.splitlines()) <= 1
    assert all(unicodedata.category(character) not in {"Cc", "Cs"} for character in cleaned)
    assert names.gecos(cleaned) == cleaned
    cleaned.encode()
