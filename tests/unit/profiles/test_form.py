"""The spawn form: what is permitted, the right default, nothing stale, and no markup of others."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, PackageLoader, Template

from jhext.profiles.access import ACCESS_KEYS, Person
from jhext.profiles.catalog import Catalog
from jhext.profiles.form import FormPages, profile_list
from jhext.profiles.selection import MAX_FREE_TEXT, select
from jhext.upstream import form_environment

TEMPLATE = form_environment([]).get_template("form.html")
KUBESPAWNERS = Environment(
    loader=PackageLoader("kubespawner", "templates"), autoescape=True
).get_template("form.html")
TEXT = "image--unlisted-choice"

PROFILES = yaml.safe_load("""
- {display_name: Staff only, slug: staff, default: true, allowed_groups: [staff]}
- {display_name: Small, slug: small, allow_all: true, description: For a start}
- display_name: GPU
  slug: gpu
  allow_all: true
  blocked_groups: [interns]
  profile_options:
    image:
      display_name: Image
      choices:
        std: {display_name: Standard}
        big: {display_name: Big, default: true, allowed_groups: [staff]}
      unlisted_choice:
        enabled: true
        allowed_groups: [lab]
        display_name: Other image
        validation_regex: ok/[a-z]+
        validation_message: Must be in ok/.
    zone:
      display_name: Zone
      choices:
        a:
          display_name: A
          profile_options:
            rack: {display_name: Rack, choices: {r1: {display_name: R1}, r2: {display_name: R2}}}
        b: {display_name: B}
""")
ANN = Person("ann", frozenset({"lab"}))
SUE = Person("sue", frozenset({"staff"}))
BOB = Person("bob")
PEOPLE = [ANN, SUE, BOB, Person("ivy", frozenset({"interns"}))]


class Page(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in ("script", "style"):
            return
        self.texts.append(data.strip())

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        return [a for t, a in self.tags if t == tag and attributes.items() <= a.items()]

    @property
    def profiles(self) -> list[str]:
        return [radio["value"] for radio in self.all("input", name="profile")]

    @property
    def checked(self) -> list[str]:
        return [a["value"] for a in self.all("input", name="profile") if "checked" in a]

    @property
    def selected(self) -> dict[str, str]:
        """The choice that each list shows, by the name of its field."""
        found: dict[str, str] = {}
        field = ""
        for tag, attributes in self.tags:
            if tag == "select":
                field = attributes["name"]
            elif tag == "option" and ("selected" in attributes or field not in found):
                found[field] = attributes["value"]
        return found

    @property
    def structure(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(tag, tuple(attributes)) for tag, attributes in self.tags]


@pytest.fixture(scope="module")
def catalog(make_catalog: Any) -> Catalog:
    found: Catalog = make_catalog(PROFILES)
    return found


def page(
    catalog: Catalog, person: Person, options: Any = None, template: Template = TEMPLATE
) -> Page:
    html, _ = FormPages().render(template, catalog, catalog.permitted(person), options)
    return Page(html)


@pytest.mark.parametrize(
    ("person", "profiles", "default"),
    [(ANN, ["small", "gpu"], "small"), (SUE, ["staff", "small", "gpu"], "staff")],
)
def test_only_what_is_permitted_with_its_default(
    catalog: Catalog, person: Person, profiles: list[str], default: str
) -> None:
    """F-02."""
    shown = page(catalog, person)
    assert shown.profiles == profiles
    assert shown.checked == [default]


@pytest.mark.parametrize(
    ("person", "choices"),
    [(ANN, ["std", ""]), (SUE, ["std", "big"]), (BOB, ["std"])],
)
def test_only_choices_that_are_open(catalog: Catalog, person: Person, choices: list[str]) -> None:
    shown = page(catalog, person)
    options = [tag[1]["value"] for tag in shown.tags if tag[0] == "option"]
    assert [value for value in options if value not in ("a", "b", "r1", "r2")] == choices
    text_fields = shown.all("input", name=f"profile-option-gpu--{TEXT}")
    assert len(text_fields) == ("" in choices)


def test_default_choice_is_the_default_among_the_open_ones(catalog: Catalog) -> None:
    assert page(catalog, SUE).selected["profile-option-gpu--image"] == "big"
    assert page(catalog, ANN).selected["profile-option-gpu--image"] == "std"


# Each: who, what was chosen last, what is checked and chosen now, and whether that is told.
LAST: dict[str, tuple[Person, Any, str, dict[str, str], bool]] = {
    "nothing": (ANN, None, "small", {}, False),
    "the same": (ANN, {"profile": "gpu", "zone": "b"}, "gpu", {"zone": "b"}, False),
    "nested": (
        ANN,
        {"profile": "gpu", "zone--a--rack": "r2"},
        "gpu",
        {"zone--a--rack": "r1"},
        False,
    ),
    "nested and its choice": (
        ANN,
        {"profile": "gpu", "zone": "a", "zone--a--rack": "r2"},
        "gpu",
        {"zone--a--rack": "r2"},
        False,
    ),
    "free text": (ANN, {"profile": "gpu", TEXT: "ok/x"}, "gpu", {"image": ""}, False),
    "d48 profile that is gone": (ANN, {"profile": "gone"}, "small", {}, True),
    "d48 profile of others": (ANN, {"profile": "staff"}, "small", {}, True),
    "d48 choice that is gone": (
        ANN,
        {"profile": "gpu", "image": "x"},
        "gpu",
        {"image": "std"},
        True,
    ),
    "d48 choice of others": (
        ANN,
        {"profile": "gpu", "image": "big"},
        "gpu",
        {"image": "std"},
        True,
    ),
    "d48 option that is gone": (
        ANN,
        {"profile": "gpu", "gone": "x"},
        "gpu",
        {"image": "std"},
        True,
    ),
    "d48 text that does not match": (
        ANN,
        {"profile": "gpu", TEXT: "no"},
        "gpu",
        {"image": "std"},
        True,
    ),
    "d48 text of others": (SUE, {"profile": "gpu", TEXT: "ok/x"}, "gpu", {"image": "big"}, True),
    "profile is a list": (ANN, {"profile": ["gpu"]}, "small", {}, True),
    "choice is a list": (ANN, {"profile": "gpu", "image": ["std"]}, "gpu", {"image": "std"}, True),
    "text is a number": (ANN, {"profile": "gpu", TEXT: 7}, "gpu", {"image": "std"}, True),
    "options are a list": (ANN, ["gpu"], "small", {}, False),
    "options are text": (ANN, "gpu", "small", {}, False),
}


@pytest.mark.parametrize(("person", "last", "checked", "selected", "told"), LAST.values(), ids=LAST)
def test_d48_what_was_chosen_last(
    catalog: Catalog, person: Person, last: Any, checked: str, selected: Any, told: bool
) -> None:
    """F-10: exactly one profile is checked, whatever is stored."""
    html, stale = FormPages().render(TEMPLATE, catalog, catalog.permitted(person), last)
    shown = Page(html)
    assert shown.checked == [checked]
    chosen = {f"profile-option-gpu--{key}": value for key, value in selected.items()}
    assert chosen.items() <= shown.selected.items()
    assert stale == told


def test_free_text_is_shown_again(catalog: Catalog) -> None:
    shown = page(catalog, ANN, {"profile": "gpu", TEXT: "ok/x"})
    (field,) = shown.all("input", type="text")
    assert field["value"] == "ok/x"
    assert field["maxlength"] == str(MAX_FREE_TEXT)


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.user)
def test_sending_the_form_as_it_is_shown_starts_what_it_shows(
    catalog: Catalog, person: Person
) -> None:
    shown = page(catalog, person)
    (slug,) = shown.checked
    prefix = f"profile-option-{slug}--"
    fields = {
        name.removeprefix(prefix): value
        for name, value in shown.selected.items()
        if name.startswith(prefix)
    }
    assert select(catalog, person, {"profile": slug, **fields}).profile.slug == slug


@pytest.mark.parametrize("change", [("zone", "zone"), ("image:", "the image:"), ("gpu", "a gpu")])
def test_keyboard_and_screen_reader(make_catalog: Any, change: tuple[str, str]) -> None:
    """Also where keys hold blanks, which part the ids of a list."""
    written = yaml.safe_load(yaml.safe_dump(PROFILES).replace(*change))
    shown = page(make_catalog(written), ANN)
    ids = [attributes["id"] for _, attributes in shown.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not any(" " in name for name in ids)
    labelled = {attributes["for"] for tag, attributes in shown.tags if tag == "label"}
    fields = [a for tag, a in shown.tags if tag in ("input", "select")]
    assert len(fields) == 6
    for field in fields:
        assert field["id"] in labelled
        assert field.get("aria-describedby", ids[0]) in ids
        assert field.get("tabindex", "0") == "0"
    assert shown.tags[[tag for tag, _ in shown.tags].index("fieldset") + 1][0] == "legend"
    assert all("required" in radio for radio in shown.all("input", type="radio"))
    for _, attributes in shown.tags:
        if attributes.get("role") == "group":
            assert attributes["aria-label"]


PRINTED = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
"""What the lint lets through."""
hostile = st.text(PRINTED, min_size=1, max_size=12) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onfocus=alert(1) autofocus='",
        "</select></fieldset></script>",
        "&lt;b&gt;",
        "{{ 7 * 7 }}",
        "{% raw %}",
        "{userid.__class__}",
        "%s %(x)s %n",
        "javascript:alert(1)",
        "\u202e",
    ]
)


def written(text: str, key: str) -> list[dict[str, Any]]:
    """Give a profile in which every text that is shown is this one."""
    unlisted = {
        "enabled": True,
        "display_name": text,
        "display_name_in_choices": text,
        "validation_message": text,
    }
    nested = {"in": {"display_name": text, "choices": {key: {"display_name": text}}}}
    choice = {"display_name": text, "profile_options": nested}
    option = {"display_name": text, "choices": {key: choice}, "unlisted_choice": unlisted}
    return [
        {
            "display_name": text,
            "slug": "s",
            "description": text,
            "allow_all": True,
            "profile_options": {key: option},
        }
    ]


@given(text=hostile, key=hostile)
def test_d29_texts_and_keys_are_never_markup(make_catalog: Any, text: str, key: str) -> None:
    harmless = page(make_catalog(written("text", "key")), ANN)
    shown = page(make_catalog(written(text, key)), ANN)
    assert shown.structure == harmless.structure
    (label,) = {a["aria-label"] for t, a in shown.tags if "aria-label" in a}
    assert label == text.replace("\x00", "\ufffd") or label == text
    assert "49" not in "".join(shown.texts) or "49" in text


@given(text=hostile)
def test_d29_free_text_of_the_last_start_is_never_markup(make_catalog: Any, text: str) -> None:
    catalog = make_catalog(written("text", "key"))
    options = {"profile": "s", "key--unlisted-choice": text}
    shown = page(catalog, ANN, options)
    assert shown.structure[:3] == page(catalog, ANN).structure[:3]
    (field,) = shown.all("input", type="text")
    assert field["value"] in (text, "")


def test_d29_group_names_and_rules_are_not_in_the_form(make_catalog: Any) -> None:
    group = "<b>secret-group</b>"
    catalog = make_catalog(
        [
            {
                "display_name": "P",
                "allowed_groups": [group],
                "block_if": "user == 'secret-user'",
                "profile_options": {
                    "o": {
                        "display_name": "O",
                        "choices": {"c": {"display_name": "C", "allowed_groups": [group]}},
                        "unlisted_choice": {"enabled": True, "allowed_groups": [group]},
                    }
                },
            }
        ]
    )
    person = Person("ann", frozenset({group}))
    html, _ = FormPages().render(TEMPLATE, catalog, catalog.permitted(person), None)
    assert "secret" not in html
    shown = repr(profile_list(catalog.permitted(person)))
    assert not [key for key in ACCESS_KEYS if key in shown]


def test_templates_get_the_shape_of_kubespawners_list(catalog: Catalog) -> None:
    shown = profile_list(catalog.permitted(SUE))
    assert [item["slug"] for item in shown] == ["staff", "small", "gpu"]
    assert [item["default"] for item in shown] == [True, False, False]
    image = shown[2]["profile_options"]["image"]
    assert image["unlisted_choice"]["enabled"] is False
    assert {key: choice["default"] for key, choice in image["choices"].items()} == {
        "std": False,
        "big": True,
    }
    # KubeSpawner's own template makes a form of it, and so do custom ones.
    theirs = page(catalog, SUE, {"profile": "gpu"}, KUBESPAWNERS)
    assert theirs.profiles == ["staff", "small", "gpu"]
    own = form_environment([]).from_string("{{ profile_list | map(attribute='slug') | join(' ') }}")
    assert page(catalog, ANN, template=own).texts == ["small gpu"]


def test_keys_that_only_templates_read_reach_them(check: Any) -> None:
    written = {"display_name": "P", "allow_all": True, "x-icon": "cat", "colour": "red"}
    catalog = check([written], extra_profile_keys=frozenset({"colour"}))
    (shown,) = profile_list(catalog.permitted(ANN))
    assert (shown["x-icon"], shown["colour"]) == ("cat", "red")


options = st.none() | st.fixed_dictionaries(
    {"profile": st.sampled_from(["gpu", "small", "staff", "gone"])},
    optional={
        "image": st.sampled_from(["std", "big", "x"]),
        TEXT: st.sampled_from(["ok/x", "ok/y", "no"]),
        "zone": st.sampled_from(["a", "b"]),
        "zone--a--rack": st.sampled_from(["r1", "r2"]),
    },
)


@given(asked=st.lists(st.tuples(st.sampled_from(PEOPLE), options), min_size=2, max_size=8))
def test_d14_kept_pages_reach_only_people_who_see_the_same(
    catalog: Catalog, asked: list[tuple[Person, Any]]
) -> None:
    pages = FormPages(capacity=3)
    for person, last in asked:
        permitted = catalog.permitted(person)
        kept = pages.render(TEMPLATE, catalog, permitted, last)
        assert kept == FormPages().render(TEMPLATE, catalog, permitted, last)


def test_pages_of_other_catalogues_and_templates_are_others(
    catalog: Catalog, make_catalog: Any
) -> None:
    pages = FormPages()
    other = make_catalog([{**item, "description": "N"} for item in PROFILES])
    texts = [
        pages.render(TEMPLATE, catalog, catalog.permitted(BOB), None)[0],
        pages.render(TEMPLATE, other, other.permitted(BOB), None)[0],
        pages.render(KUBESPAWNERS, catalog, catalog.permitted(BOB), None)[0],
    ]
    assert len(set(texts)) == 3
