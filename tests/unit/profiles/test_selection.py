"""What options start, or why they start nothing."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jhext.profiles.access import Person
from jhext.profiles.catalog import Catalog, PermittedOption
from jhext.profiles.selection import (
    MAX_FREE_TEXT,
    NOTHING_PERMITTED,
    Selection,
    default_of,
    refuse_profile,
    select,
)
from jhext.refusal import Reason, Refusal

PROFILES = yaml.safe_load("""
- {display_name: Small, slug: small, allow_all: true}
- {display_name: Staff only, slug: staff, default: true, allowed_groups: [staff]}
- display_name: GPU
  slug: gpu
  allow_all: true
  blocked_users: [eve]
  kubespawner_override: {cmd: [profile]}
  profile_options:
    image:
      display_name: Image
      choices:
        std: {display_name: Standard, kubespawner_override: {image: "std:1"}}
        big: {display_name: Big, default: true, allowed_groups: [staff],
              kubespawner_override: {image: "big:1"}}
      unlisted_choice:
        enabled: true
        validation_regex: ok/[a-z]+
        validation_message: Must be in ok/.
        kubespawner_override: {image: "{value}"}
    zone:
      display_name: Zone
      choices:
        a:
          display_name: A
          profile_options:
            rack: {display_name: Rack, choices: {r1: {display_name: R1}, r2: {display_name: R2}}}
        b: {display_name: B}
      unlisted_choice: {enabled: false}
    tier:
      display_name: Tier
      optional: true
      choices: {gold: {display_name: Gold, allowed_groups: [staff]}}
- {display_name: Hidden, slug: hidden, allowed_users: [root]}
- display_name: Named
  slug: named
  allowed_users: [ann]
  profile_options:
    text: {display_name: Text, unlisted_choice: {enabled: true, allowed_groups: [lab]}}
""")
ANN = Person("ann", frozenset({"lab"}))
SUE = Person("sue", frozenset({"staff"}))
EVE = Person("eve")
GPU = {"profile": "gpu"}
B, RACK = {"zone": "b"}, {"zone--a--rack": "r2"}
TEXT = "image--unlisted-choice"


@pytest.fixture(scope="module")
def catalog(make_catalog: Any) -> Catalog:
    found: Catalog = make_catalog(PROFILES)
    return found


# Each: who asks, for what, and what is started: the profile and its choices.
GRANTED: dict[str, tuple[Person, Any, str]] = {
    "f02 default": (SUE, {}, "staff"),
    "f02 default among the permitted": (ANN, {}, "small"),
    "no options at all": (ANN, None, "small"),
    "empty profile": (ANN, {"profile": ""}, "small"),
    "null profile": (ANN, {"profile": None}, "small"),
    "named profile": (SUE, {"profile": "small"}, "small"),
    "default choices": (SUE, GPU, "gpu image=big zone=a zone--a--rack=r1 tier=gold"),
    "default choices among the permitted": (ANN, GPU, "gpu image=std zone=a zone--a--rack=r1"),
    "choice": (ANN, GPU | B, "gpu image=std zone=b"),
    "choice for a group": (SUE, GPU | B | {"image": "big"}, "gpu image=big zone=b tier=gold"),
    "empty choice": (ANN, GPU | B | {"image": ""}, "gpu image=std zone=b"),
    "null choice": (ANN, GPU | B | {"image": None}, "gpu image=std zone=b"),
    "nested choice": (ANN, GPU | RACK, "gpu image=std zone=a zone--a--rack=r2"),
    "nested choice of a choice not taken": (ANN, GPU | B | RACK, "gpu image=std zone=b"),
    "free text": (ANN, GPU | B | {TEXT: "ok/x"}, f"gpu {TEXT}=ok/x zone=b"),
    "free text wins over a choice": (
        ANN,
        GPU | B | {TEXT: "ok/x", "image": "std"},
        f"gpu {TEXT}=ok/x zone=b",
    ),
    "empty free text": (ANN, GPU | B | {TEXT: ""}, "gpu image=std zone=b"),
    "null free text": (ANN, GPU | B | {TEXT: None}, "gpu image=std zone=b"),
    "free text for a group": (
        ANN,
        {"profile": "named", "text--unlisted-choice": "x"},
        "named text--unlisted-choice=x",
    ),
}


@pytest.mark.parametrize(("person", "options", "granted"), GRANTED.values(), ids=GRANTED)
def test_granted(catalog: Catalog, person: Person, options: Any, granted: str) -> None:
    """F-02."""
    selection = select(catalog, person, options)
    slug, *choices = granted.split()
    assert selection.profile.slug == slug
    assert selection.choices == dict(choice.split("=") for choice in choices)
    # What was granted asks for the same once more.
    assert select(catalog, person, {"profile": slug, **selection.choices}) == selection


# Each: who asks, for what, and why nothing is started.
REFUSED: dict[str, tuple[Person, Any, Reason]] = {
    "d01 profile of others": (ANN, {"profile": "hidden"}, Reason.PROFILE),
    "d01 profile of a group": (ANN, {"profile": "staff"}, Reason.PROFILE),
    "d01 blocked": (EVE, GPU, Reason.PROFILE),
    "d48 unknown profile": (ANN, {"profile": "gone"}, Reason.PROFILE),
    "display name is no slug": (ANN, {"profile": "Small"}, Reason.PROFILE),
    "slug in capitals": (ANN, {"profile": "SMALL"}, Reason.PROFILE),
    "slug and blank": (ANN, {"profile": " small"}, Reason.PROFILE),
    "d01 choice of a group": (ANN, GPU | {"image": "big"}, Reason.CHOICE),
    "f08 unknown choice": (ANN, GPU | {"image": "zzz"}, Reason.CHOICE),
    "display name is no choice": (ANN, GPU | {"image": "Standard"}, Reason.CHOICE),
    "f08 unknown nested choice": (ANN, GPU | {"zone--a--rack": "r3"}, Reason.CHOICE),
    "unknown choice beside free text": (ANN, GPU | {TEXT: "ok/x", "image": "zzz"}, Reason.CHOICE),
    "hidden choice beside free text": (ANN, GPU | {TEXT: "ok/x", "image": "big"}, Reason.CHOICE),
    "d01 free text where it is off": (ANN, GPU | {"zone--unlisted-choice": "x"}, Reason.CHOICE),
    "d01 free text of a group": (
        Person("ann"), {"profile": "named", "text--unlisted-choice": "x"}, Reason.PROFILE,
    ),
    "free text is missing": (ANN, {"profile": "named"}, Reason.OPTIONS),
    "d49 regex in part": (ANN, GPU | {TEXT: "ok/x@evil"}, Reason.OPTIONS),
    "d49 regex at the end": (ANN, GPU | {TEXT: "evil/ok/x"}, Reason.OPTIONS),
    "d49 newline": (ANN, GPU | {TEXT: "ok/x\n"}, Reason.OPTIONS),
    "d01 regex without profile": (ANN, {TEXT: "evil/x"}, Reason.OPTIONS),
    "d01 key of no option": (ANN, {"profile": "small", "image": "evil/x"}, Reason.OPTIONS),
    "d01 key of no option without profile": (ANN, {"image": "std"}, Reason.OPTIONS),
    "d01 key of another profile": (ANN, {"profile": "small", "zone": "a"}, Reason.OPTIONS),
    "d01 key of a dropped option": (ANN, GPU | {"tier": "gold"}, Reason.OPTIONS),
    "d01 overrides": (ANN, GPU | {"kubespawner_override": {"uid": 0}}, Reason.OPTIONS),
    "d53 image of a mixin": (ANN, {"profile": "small", "image": "x", "token": "y"}, Reason.OPTIONS),
    "form's field name": (ANN, GPU | {"profile-option-gpu--image": "std"}, Reason.OPTIONS),
    "empty key": (ANN, GPU | {"": "x"}, Reason.OPTIONS),
    "profile is a list": (ANN, {"profile": ["gpu"]}, Reason.OPTIONS),
    "profile is a mapping": (ANN, {"profile": {"gpu": 1}}, Reason.OPTIONS),
    "profile is zero": (ANN, {"profile": 0}, Reason.OPTIONS),
    "profile is false": (ANN, {"profile": False}, Reason.OPTIONS),
    "choice is a list": (ANN, GPU | {"image": ["std"]}, Reason.OPTIONS),
    "choice is false": (ANN, GPU | {"image": False}, Reason.OPTIONS),
    "choice is an empty list": (ANN, GPU | {"image": []}, Reason.OPTIONS),
    "free text is a number": (ANN, GPU | {TEXT: 7}, Reason.OPTIONS),
    "free text is a mapping": (ANN, GPU | {TEXT: {}}, Reason.OPTIONS),
    "options are a list": (ANN, ["gpu"], Reason.OPTIONS),
    "options are text": (ANN, "gpu", Reason.OPTIONS),
    "options are zero": (ANN, 0, Reason.OPTIONS),
    "options are true": (ANN, True, Reason.OPTIONS),
}  # fmt: skip


@pytest.mark.parametrize(("person", "options", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(catalog: Catalog, person: Person, options: Any, reason: Reason) -> None:
    """D-01, D-48, D-49, D-53, F-08."""
    with pytest.raises(Refusal) as refused:
        select(catalog, person, options)
    assert refused.value.reason == reason
    assert refused.value.status_code == 403


@pytest.mark.parametrize("options", [{}, None, GPU, {"profile": "small"}, {"profile": "gone"}])
def test_d03_nobody_starts_anything_where_nothing_is_permitted(
    make_catalog: Any, options: Any
) -> None:
    """F-01."""
    for profiles in ([], [{"display_name": "Small", "allowed_users": ["root"]}]):
        with pytest.raises(Refusal) as refused:
            select(make_catalog(profiles), ANN, options)
        assert refused.value.reason == Reason.NONE_PERMITTED
        assert refused.value.message == NOTHING_PERMITTED


@pytest.mark.parametrize(
    ("hidden", "missing"),
    [
        ({"profile": "hidden"}, {"profile": "gone"}),
        (GPU | {"image": "big"}, GPU | {"image": "gone"}),
        (GPU | {"tier": "gold"}, GPU | {"rank": "gold"}),
    ],
)
def test_what_is_hidden_is_not_told_from_what_does_not_exist(
    catalog: Catalog, hidden: Any, missing: Any
) -> None:
    told = []
    for options in (hidden, missing):
        with pytest.raises(Refusal) as refused:
            select(catalog, ANN, options)
        told.append((refused.value.reason, refused.value.message.replace("rank", "tier")))
    assert told[0] == told[1]
    assert "hidden" not in told[0][1]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="brace"),
        pytest.param("a}b", id="closing brace"),
        pytest.param("{userid.__class__.__mro__}", id="field"),
        pytest.param("{{}}", id="doubled"),
        pytest.param("a\nb", id="newline"),
        pytest.param("a\0", id="null"),
        pytest.param("a\x1b[31m", id="escape"),
        pytest.param("a\u202eb", id="right to left"),
        pytest.param("a\u2028b", id="line separator"),
        pytest.param("a\u200bb", id="zero width"),
        pytest.param("\ud800", id="surrogate"),
        pytest.param("a" * (MAX_FREE_TEXT + 1), id="too long"),
    ],
)
def test_free_text_that_is_refused_whatever_the_regex_says(make_catalog: Any, text: str) -> None:
    unlisted = {"enabled": True, "validation_regex": "(?s).*"}
    profile = {
        "display_name": "P",
        "allow_all": True,
        "profile_options": {"o": {"display_name": "O", "unlisted_choice": unlisted}},
    }
    catalog = make_catalog([profile])
    with pytest.raises(Refusal) as refused:
        select(catalog, ANN, {"o--unlisted-choice": text})
    assert refused.value.reason == Reason.OPTIONS
    assert text not in refused.value.message
    longest = "ä/:@$%<'\" " * (MAX_FREE_TEXT // 10)
    assert select(catalog, ANN, {"o--unlisted-choice": longest}).chosen[0].value == longest


@pytest.mark.parametrize(
    ("regex", "text"),
    [
        # Python's own ``re`` takes minutes for this, and the event loop with it.
        ("([a-z0-9]+/?)+:[a-z]+", "a" * 60),
        # Seconds, also in ``regex``, which would find then that it matches.
        ("(a|aa)+b|a+|quay/.*", "a" * 36),
    ],
)
def test_a_regex_that_takes_for_ever_does_not_hold_up_the_hub(
    make_catalog: Any, regex: str, text: str
) -> None:
    option = {
        "display_name": "O",
        "unlisted_choice": {"enabled": True, "validation_regex": regex},
    }
    profile = {"display_name": "P", "allow_all": True, "profile_options": {"o": option}}
    catalog = make_catalog([profile])
    assert select(catalog, ANN, {"o--unlisted-choice": "quay/org/image:tag"})
    with pytest.raises(Refusal):
        select(catalog, ANN, {"o--unlisted-choice": text})


def test_validation_message_is_told(catalog: Catalog) -> None:
    with pytest.raises(Refusal, match=r"^Image: Must be in ok/\.$"):
        select(catalog, ANN, GPU | {TEXT: "evil/x"})


def test_messages_are_bounded_and_printable(catalog: Catalog) -> None:
    many = {f"{'k' * 5000}{n}\n<b>": n for n in range(500)}
    with pytest.raises(Refusal) as refused:
        select(catalog, ANN, {"profile": "small", **many})
    assert len(refused.value.message) < 400, "it goes to the page and the log"
    assert refused.value.message.isprintable()


def test_options_of_other_code_are_passed_over_but_checked_where_they_are_known(
    catalog: Catalog,
) -> None:
    extra = frozenset({"repo", "image"})
    assert select(catalog, ANN, {"repo": ["any"], "profile": "small"}, extra_options=extra)
    with pytest.raises(Refusal):
        select(catalog, ANN, GPU | {"image": "big"}, extra_options=extra)
    with pytest.raises(Refusal):
        select(catalog, ANN, {"repository": 1}, extra_options=extra)


def test_f03_the_answer_follows_the_groups(catalog: Catalog) -> None:
    options = {"profile": "staff"}
    assert select(catalog, SUE, options)
    with pytest.raises(Refusal):
        select(catalog, Person("sue"), options)


def test_d10_options_are_applied_in_the_order_they_are_written(catalog: Catalog) -> None:
    options = {"tier": "gold", "zone--a--rack": "r2", "zone": "a", "image": "big", "profile": "gpu"}
    chosen = select(catalog, SUE, options).chosen
    assert [item.key for item in chosen] == ["image", "zone", "zone--a--rack", "tier"]


def test_starts_the_same_whatever_the_rule(catalog: Catalog) -> None:
    one = select(catalog, ANN, {"profile": "small"})
    assert one.starts_the_same(Selection(one.profile, one.chosen, "another rule"))
    assert not one.starts_the_same(None)
    assert not one.starts_the_same(select(catalog, ANN, GPU))


def test_default_of_is_the_marked_one_or_the_first(catalog: Catalog) -> None:
    assert default_of(catalog.permitted(SUE)).profile.slug == "staff"
    assert default_of(catalog.permitted(ANN)).profile.slug == "small"


@pytest.mark.parametrize("options", [None, {}, {"profile": ""}, {"image": "x"}])
def test_no_profile_is_refused_where_none_is_named(options: Any) -> None:
    refuse_profile(options)


@pytest.mark.parametrize("options", [{"profile": "small"}, {"profile": [1]}, ["small"], "x", 1])
def test_d48_profile_is_refused_where_there_are_none(options: Any) -> None:
    with pytest.raises(Refusal):
        refuse_profile(options)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
values = (
    st.sampled_from(
        ["", "gpu", "small", "hidden", "std", "big", "a", "b", "r1", "r2", "gold", "ok/x", "{a}"]
    )
    | json
)
keys = st.sampled_from(
    ["profile", "image", TEXT, "zone", "zone--a--rack", "tier", "zone--unlisted-choice", "text"]
) | st.text(max_size=3)
anything = json | st.dictionaries(keys, values, max_size=6)
people = st.sampled_from([ANN, SUE, EVE, Person("root"), Person("nobody")])


def open_choices(options: tuple[PermittedOption, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option in options:
        found[option.key] = {choice.name for choice in option.choices}
        if option.unlisted:
            found[option.key + "--unlisted-choice"] = None
        for choice in option.choices:
            found |= open_choices(choice.options)
    return found


@given(person=people, options=anything)
def test_d01_any_json_is_refused_or_grants_what_is_permitted(
    catalog: Catalog, person: Person, options: Any
) -> None:
    try:
        selection = select(catalog, person, options)
    except Refusal:
        return
    permitted = {item.profile.slug: item for item in catalog.permitted(person)}
    opened = open_choices(permitted[selection.profile.slug].options)
    for key, value in selection.choices.items():
        assert opened[key] is None or value in opened[key]
    # What was asked for by name is what is granted.
    asked = {key: value for key, value in (options or {}).items() if value not in (None, "")}
    assert asked.pop("profile", selection.profile.slug) == selection.profile.slug
    taken = {key: value for key, value in asked.items() if key in selection.choices}
    assert taken.items() <= selection.choices.items()


NESTED = {
    "display_name": "P",
    "allow_all": True,
    "profile_options": {
        "image": {
            "display_name": "Image",
            "choices": {
                "a": {"display_name": "A"},
                "b": {
                    "display_name": "B",
                    "profile_options": {
                        "sub": {"display_name": "Sub", "choices": {"x": {"display_name": "X"}}}
                    },
                },
            },
        }
    },
}


@pytest.mark.parametrize(
    "untaken", [{"x": [1]}, ["x"], 1, "{x}", "x" * 2000, "a\nb", "unknown"], ids=repr
)
def test_options_of_a_choice_not_taken_are_checked_too(make_catalog: Any, untaken: Any) -> None:
    catalog = make_catalog([NESTED])
    assert select(catalog, ANN, {"image": "a", "image--b--sub": "x"})
    for key in ("image--b--sub", "image--b--sub--unlisted-choice"):
        with pytest.raises(Refusal):
            select(catalog, ANN, {"image": "a", key: untaken})


def test_a_refused_choice_names_its_rule(make_catalog: Any) -> None:
    option = {
        "display_name": "O",
        "choices": {
            "a": {"display_name": "A"},
            "b": {"display_name": "B", "blocked_users": ["ann"]},
        },
        "unlisted_choice": {"enabled": True, "allowed_groups": ["staff"]},
    }
    profile = {"display_name": "P", "allow_all": True, "profile_options": {"o": option}}
    catalog = make_catalog([profile])
    with pytest.raises(Refusal) as caught:
        select(catalog, Person("ann"), {"o": "b"})
    assert (caught.value.rule, caught.value.detail) == ("blocked_users: ann", "o='b'")
    with pytest.raises(Refusal) as caught:
        select(catalog, Person("ann"), {"o--unlisted-choice": "mine"})
    assert (caught.value.rule, caught.value.detail) == ("no rule", "o--unlisted-choice='mine'")
