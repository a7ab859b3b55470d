"""Whatever ``jhext check`` finds in profiles has its file, its line, and what to do about it."""

from __future__ import annotations

from typing import Any

import pytest

ONE = "profiles:\n- slug: a\n  display_name: A\n  allow_all: true\n"
CHOICES = (
    ONE + "  profile_options:\n    o:\n      display_name: O\n      choices:\n        x:\n"
    "          display_name: X\n          "
)

# Each: what is in the file, the place, a part of the suggestion.
FINDINGS: dict[str, tuple[str, str, str]] = {
    "no profile": ("profiles:\n- a\n", "jhext.yaml:2", "{display_name: NAME"),
    "key of a profile": (ONE + "  descripton: A\n", "jhext.yaml:5", "'description'"),
    "rule that is none": (ONE + "  teams: [a]\n", "jhext.yaml:5", "write one of allow_all, "),
    "key unlike any": (ONE + "  icon: a\n", "jhext.yaml:5", "extra_profile_keys"),
    "missing name": ("profiles:\n- slug: a\n  allow_all: true\n", "jhext.yaml:2", "display_name"),
    "names that are none": (
        "profiles:\n- slug: a\n  display_name: A\n  allowed_users: ada\n",
        "jhext.yaml:4",
        "[alice",
    ),
    "number for a name": (
        "profiles:\n- slug: a\n  display_name: A\n  allowed_users: [1]\n",
        "jhext.yaml:4",
        "quote",
    ),
    "no expression": (ONE + "  block_if: a b\n", "jhext.yaml:5", "block_if: "),
    "unknown variable": (ONE + "  block_if: usr == 'a'\n", "jhext.yaml:5", "rules have admin"),
    "unknown function": (ONE + "  block_if: length(user) == 1\n", "jhext.yaml:5", "rules have"),
    "control in a name": (
        'profiles:\n- slug: a\n  display_name: "A\\0"\n  allow_all: true\n',
        "jhext.yaml:3",
        "take the character out",
    ),
    "regular expression": (
        ONE + "  profile_options:\n    o:\n      display_name: O\n      unlisted_choice:\n"
        "        {enabled: true, validation_regex: '('}\n",
        "jhext.yaml:9",
        "write it like '[a-z]",
    ),
    "slug twice": (
        ONE + "- {slug: a, display_name: B, allow_all: true}\n",
        "jhext.yaml:5",
        "another",
    ),
    "slug within a slug": (
        ONE + "- {slug: a--b, display_name: B, allow_all: true}\n",
        "jhext.yaml:5",
        "without --",
    ),
    "no slug": (
        "profiles:\n- {display_name: '!', allow_all: true}\n",
        "jhext.yaml:2",
        "slug: name",
    ),
    "two defaults": (
        ONE + "  default: true\n- {slug: b, display_name: B, allow_all: true, default: true}\n",
        "jhext.yaml:6",
        "take default out",
    ),
    "empty options": (ONE + "  profile_options: {}\n", "jhext.yaml:5", "leave it out"),
    "empty block": (ONE + "  blocked_users:\n", "jhext.yaml:5", "leave it out"),
    "option of nothing": (
        ONE + "  profile_options:\n    o: {display_name: O}\n",
        "jhext.yaml:6",
        "write choices",
    ),
    "option called profile": (
        ONE + "  profile_options:\n    profile:\n      display_name: O\n"
        "      choices: {x: {display_name: X}}\n",
        "jhext.yaml:6",
        "another key",
    ),
    "two default choices": (
        ONE + "  profile_options:\n    o:\n      display_name: O\n      choices:\n"
        "        x: {display_name: X, default: true}\n"
        "        y: {display_name: Y, default: true}\n",
        "jhext.yaml:8",
        "keep default: true at one",
    ),
    "capitals in a list": (
        "profiles:\n- {slug: a, display_name: A, allowed_users: [Ada]}\n",
        "jhext.yaml:2",
        "'ada'",
    ),
    "nobody": ("profiles:\n- {slug: a, display_name: A}\n", "jhext.yaml:2", "allowed_users"),
    # overrides
    "no trait": (ONE + "  kubespawner_override: {imagee: a}\n", "jhext.yaml:5", "'image'"),
    "trait unlike any": (ONE + "  kubespawner_override: {xyz: a}\n", "jhext.yaml:5", "KubeSpawner"),
    "trait of a number": (
        ONE + "  kubespawner_override: {1: a}\n",
        "jhext.yaml:5",
        "such as image",
    ),
    "sensitive": (
        ONE + "  kubespawner_override:\n    uid: 5\n",
        "jhext.yaml:6",
        "overrides: [uid]",
    ),
    "value of a trait": (ONE + "  kubespawner_override: {image: 5}\n", "jhext.yaml:5", "unicode"),
    "amount": (ONE + "  kubespawner_override: {mem_limit: 4X}\n", "jhext.yaml:5", "write "),
    "number in the environment": (
        ONE + "  environment:\n    A: '1'\n    B: 1\n",
        "jhext.yaml:7",
        "write B: '1'",
    ),
    "no number": (ONE + "  kubespawner_override: {cpu_limit: .nan}\n", "jhext.yaml:5", "write "),
    "field of free text": (
        ONE + "  profile_options:\n    o:\n      display_name: O\n      unlisted_choice:\n"
        "        enabled: true\n        kubespawner_override: {image: '{val}{'}\n",
        "jhext.yaml:10",
        "write {value}",
    ),
    "retired": (ONE + "  kubespawner_override: {singleuser_uid: 5}\n", "jhext.yaml:5", "write uid"),
    "retired and new": (
        ONE + "  kubespawner_override: {image_spec: a, image: b}\n",
        "jhext.yaml:5",
        "take this one",
    ),
    "said twice": (
        ONE + "  start_timeout: 5\n  kubespawner_override: {start_timeout: 6}\n",
        "jhext.yaml:5",
        "one of the two places",
    ),
    "shorthand": (ONE + "  node:\n    selektor: {}\n", "jhext.yaml:6", "did you mean 'selector'?"),
    "shorthand of a time": (ONE + "  start_timeout: soon\n", "jhext.yaml:5", "start_timeout: 10m"),
    "overrides that are none": (
        ONE + "  start_timeout: 5\n  kubespawner_override: []\n",
        "jhext.yaml:6",
        "{mem_limit: 2G}",
    ),
    # extends
    "unknown base": (ONE + "  extends: b\n", "jhext.yaml:5", "the slug of another profile"),
    "base like one": (
        ONE + "  extends: bas\n- {slug: base, abstract: true}\n",
        "jhext.yaml:5",
        "did you mean 'base'",
    ),
    "itself": (ONE + "  extends: a\n", "jhext.yaml:5", "take extends out"),
    "faulty base": (
        ONE + "  extends: base\n- {slug: base, abstract: 1}\n",
        "jhext.yaml:5",
        "mend 'base' first",
    ),
    "abstract": (ONE + "- {slug: b, abstract: 1}\n", "jhext.yaml:5", "true or false"),
    "abstract of no name": (ONE + "- {abstract: true}\n", "jhext.yaml:5", "slug: base"),
    "abstract of a taken name": (ONE + "- {slug: a, abstract: true}\n", "jhext.yaml:5", "another"),
    "unused": (ONE + "- {slug: b, abstract: true}\n", "jhext.yaml:5", "let one extend it"),
    # rules without effect
    "in and out": (
        "profiles:\n- slug: a\n  display_name: A\n  allowed_users: [b, c]\n  blocked_users: [b]\n",
        "jhext.yaml:4",
        "take 'b' out of one",
    ),
    "beside all": (ONE + "  allowed_users: [b]\n", "jhext.yaml:5", "take one of them out"),
    "true for all": (
        "profiles:\n- slug: a\n  display_name: A\n  allow_if: 'true'\n",
        "jhext.yaml:4",
        "allow_all",
    ),
    "true for none": (
        ONE + "- {slug: b, display_name: B, allow_if: '1 == 2'}\n",
        "jhext.yaml:5",
        "out",
    ),
    "blocks all": (ONE + "  block_if: 'true'\n", "jhext.yaml:5", "mend the expression"),
    "blocks none": (ONE + "  block_if: 'false'\n", "jhext.yaml:5", "take it out"),
    "out of reach": (
        (CHOICES + "allowed_users: [c]\n").replace("allow_all: true", "allowed_users: [b]"),
        "jhext.yaml:9",
        "let the profile allow them too",
    ),
    "group": (ONE.replace("allow_all: true", "allowed_groups: [Staff]"), "jhext.yaml:4", "'staff'"),
    "group unlike any": (CHOICES + "block_if: \"'x' in groups\"\n", "jhext.yaml:11", "load_groups"),
}


@pytest.mark.parametrize(("text", "place", "suggestion"), FINDINGS.values(), ids=FINDINGS)
def test_every_finding(expect_finding: Any, text: str, place: str, suggestion: str) -> None:
    expect_finding(text, place, suggestion)
