"""Fields picked out of JSON."""

from typing import Any

import pytest

from jhext.identity.pointers import Pointers, claim_path, find, parse, with_value

DOCUMENT = {
    "a": {"b": [10, {"c": 20}]},
    "x/y": 1,
    "m~n": 2,
    "~1": 3,
    "": 4,
    "number": "1234",
    "null": None,
}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", DOCUMENT),
        ("/a/b/0", 10),
        ("/a/b/1/c", 20),
        ("/x~1y", 1),
        ("/m~0n", 2),
        ("/~01", 3),
        ("/", 4),
        ("/number", "1234"),
        ("/number/0", None),
        ("/a/b/2", None),
        ("/a/b/-", None),
        ("/a/b/-1", None),
        ("/a/b/00", None),
        ("/a/0", None),
        ("/null/x", None),
        ("/missing", None),
    ],
)
def test_pointers_lead_where_rfc_6901_says(pointer: str, value: Any) -> None:
    assert find(DOCUMENT, parse(pointer)) == value


@pytest.mark.parametrize("pointer", ["a", "a/b", "/~", "/~2", "#/a"])
def test_other_texts_are_no_pointers(pointer: str) -> None:
    with pytest.raises(ValueError, match="no JSON pointer"):
        parse(pointer)


def test_lists_of_groups_are_picked_by_their_own_pointers() -> None:
    pointers = Pointers({"uid": "/id", "groups": "/teams"}, "/slug", "/unix/gid")
    document = {"id": 1, "teams": [{"slug": "lab", "unix": {"gid": 5}}, {"slug": "x"}, 7]}
    assert pointers.pick(document) == {
        "uid": 1,
        "groups": [
            {"name": "lab", "gid": 5},
            {"name": "x", "gid": None},
            {"name": None, "gid": None},
        ],
    }


def test_mappings_of_groups_are_taken_as_they_are() -> None:
    assert Pointers({"groups": "/g"}).pick({"g": {"lab": 5}}) == {"groups": {"lab": 5}}


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        (["lab", "/hpc/gpu"], ["lab", "/hpc/gpu"]),
        ('["lab", "gpu"]', ["lab", "gpu"]),
        ('[{"name": "lab"}]', ["lab"]),
        ("lab", ["lab"]),
        (" ", []),
        (["lab", {"name": "gpu"}], ["lab", "gpu"]),
    ],
)
def test_claims_of_groups_may_be_names_alone(groups: Any, names: list[str]) -> None:
    picked = Pointers({"groups": "/g"}).pick({"g": groups})
    assert picked == {"groups": [{"name": name, "gid": None} for name in names]}


@pytest.mark.parametrize("groups", ["[", '["lab"', 7, None])
def test_what_are_no_groups_is_left_to_the_checks(groups: Any) -> None:
    assert Pointers({"groups": "/g"}).pick({"g": groups}) == {"groups": groups}


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("groups", ("groups",)),
        ("realm_access.roles", ("realm_access", "roles")),
        ("/realm_access/roles", ("realm_access", "roles")),
        ("/https:~1~1example.org~1roles", ("https://example.org/roles",)),
        ("/cn.of.group", ("cn.of.group",)),
    ],
)
def test_claims_are_found_by_names_paths_and_pointers(key: str, path: tuple[str, ...]) -> None:
    assert claim_path(key) == path


@pytest.mark.parametrize(
    ("document", "pointer"),
    [({}, "/a"), ({"a": 1}, "/a/b/0"), ({"a": {"c": 2}}, "/a/b"), ({"a": [1]}, "/a~1b/c~0")],
)
def test_a_value_is_where_its_pointer_leads(document: Any, pointer: str) -> None:
    before = repr(document)
    assert find(with_value(document, parse(pointer), "x"), parse(pointer)) == "x"
    assert repr(document) == before
    assert with_value({"a": {"c": 2}}, parse("/a/b"), 1) == {"a": {"c": 2, "b": 1}}
    assert with_value({"a": 1}, parse(""), "x") == {"a": 1}
