"""The section ``storage``: what cannot work is found before anybody starts."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jhext.storage.changes import NotPossibleError, growing
from jhext.storage.claims import overridden, wanted_of
from jhext.storage.settings import ClaimSettings, ClaimSpec, StorageSettings
from tests.unit.storage.claims_of import COMMON, existing, owner, settings, wanted


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"Home": {}}, "a key has small letters"),
        ({"a": {"name": "x-{username}"}, "b": {"name": "x-{username}"}}, "the same name"),
        ({"a": {"name": "c-{username}"}, "b": {"name": "c-data-{username}"}}, "the same name"),
        ({"a": {"name": "c-{username}"}, "b": {"per": "hub", "name": "c-shared"}}, "the same name"),
        ({"a": {"size": "many"}}, "no quantity"),
        ({"a": {"size": "0"}}, "more than nothing"),
        ({"a": {"size": "many-{profile}"}}, "no quantity"),
        ({"a": {"size": "{servername}Gi"}}, "unknown field"),
        ({"a": {"access_modes": ["{profile}"]}}, "'ReadWriteOnce', .* or 'ReadWriteOncePod'"),
        ({"a": {"volume_mode": "{profile}"}}, "'Filesystem' or 'Block'"),
        ({"a": {"access_modes": []}}, "at least 1"),
        ({"a": {"retention": "delete_with_server"}}, "delete_with_user"),
        ({"a": {"per": "hub", "retention": "delete_with_user"}}, "nobody's"),
        ({"a": {"per": "group", "groups": ["g"], "retention": "delete_with_user"}}, "nobody's"),
        ({"a": {"per": "group"}}, "needed with per: group"),
        ({"a": {"groups": ["g"]}}, "needed with per: group"),
        ({"a": {"labels": {"x": "{nobody}"}}}, "unknown field"),
        ({"a": {"selector": {"matchLabels": {"x": "{nobody}"}}}}, "unknown field"),
        ({"a": {"labels": {"x": "{unescaped_username}"}}}, "unknown field"),
        ({"a": {"volume_name": "pv-{unescaped_username}"}}, "unknown field"),
    ],
)
def test_claims_that_cannot_work(claims: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        settings(claims)


@pytest.mark.parametrize(
    ("claims", "source", "problem"),
    [
        ({}, {"type": "claim"}, "there is no claim 'home'"),
        ({"home": {"per": "hub"}}, {"type": "claim"}, "per user or server"),
        ({"home": {}}, {"type": "shared_claim", "claim": "home"}, "per hub"),
        ({"home": {"volume_mode": "Block"}}, {"type": "claim"}, "raw device"),
    ],
)
def test_homes_that_cannot_work(claims: Any, source: Any, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        settings(claims, home={"source": source})


def test_mount_of_a_raw_device_cannot_work() -> None:
    source = {"type": "claim", "claim": "raw"}
    mount = {"name": "raw", "mount_path": "/raw", "allow_all": True, "source": source}
    with pytest.raises(ValidationError, match=r"claims\.raw\.volume_mode: a raw device"):
        settings({"raw": {"volume_mode": "Block"}}, mounts=[mount])


def test_all_of_a_claim() -> None:
    claim = {
        "per": "server",
        "name": "claim-{user_server}",
        "size": "20Gi",
        "storage_class": "{profile}",
        "access_modes": ["ReadWriteMany"],
        "volume_attributes_class": "gold",
        "volume_name": "pv-{username}",
        "selector": {
            "matchLabels": {"of": "{username}"},
            "matchExpressions": [{"key": "a", "operator": "In", "values": ["{profile}"]}],
        },
        "labels": {"campus.edu/user": "{username}"},
        "annotations": {"who": "{unescaped_username}/{unescaped_servername}"},
        "data_source": {"kind": "VolumeSnapshot", "name": "course-{profile}"},
        "retention": "delete_with_server",
    }
    whose = owner("a@b", "gpu", profile="lab")
    (one,) = wanted_of(settings({"home": claim}).claims, whose, COMMON)
    assert one.manifest == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "claim-a-b---7508d8b5--gpu",
            "labels": {
                "hub.jupyter.org/username": "a-b---7508d8b5",
                "component": "singleuser-storage",
                "team": "a",
                "campus.edu/user": "a-b---7508d8b5",
                "jhext.io/claim": "home",
                "jhext.io/user": "a-b---7508d8b5",
                "jhext.io/server": "gpu",
                "jhext.io/component": "storage",
                "jhext.io/retention": "delete_with_server",
            },
            "annotations": {
                "hub.jupyter.org/username": "a@b",
                "hub.jupyter.org/servername": "gpu",
                "who": "a@b/gpu",
            },
        },
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "20Gi"}},
            "volumeMode": "Filesystem",
            "storageClassName": "lab",
            "volumeName": "pv-a-b---7508d8b5",
            "volumeAttributesClassName": "gold",
            "selector": {
                "matchLabels": {"of": "a-b---7508d8b5"},
                "matchExpressions": [{"key": "a", "operator": "In", "values": ["lab"]}],
            },
            "dataSource": {
                "kind": "VolumeSnapshot",
                "name": "course-lab",
                "apiGroup": "snapshot.storage.k8s.io",
            },
        },
    }


def test_claims_that_are_nobodys_name_nobody() -> None:
    claims = {
        "data": {"per": "group", "groups": ["lab", "gpu", "x"]},
        "site": {"per": "hub"},
        "big": {"per": "profile"},
    }
    whose = owner(groups=("gpu", "lab", "other"))
    made = list(wanted_of(settings(claims).claims, whose, COMMON))
    assert {one.id: one.name for one in made} == {
        "data/gpu": "data-gpu",
        "data/lab": "data-lab",
        "site": "site",
    }
    for one in made:
        assert "alice" not in str(one.manifest)
        assert "hub.jupyter.org/username" not in str(one.manifest)


def test_profile_changes_what_is_asked_for_and_not_whose_it_is() -> None:
    claim = ClaimSettings(per="server", size="1Gi", retention="delete_with_user")
    larger = overridden(claim, {"size": "5Gi", "storage_class": "fast"})
    assert (larger.size, larger.storage_class) == ("5Gi", "fast")
    assert (larger.per, larger.retention) == ("server", "delete_with_user")
    for override in ({"name": "x"}, {"retention": "keep"}, {"per": "hub"}, {"size": "-1"}):
        with pytest.raises(ValueError, match=next(iter(override))):
            overridden(claim, override)


# What a profile with the slug 50 says of a claim, and what becomes of it for alice.
OVERRIDES: dict[str, tuple[Any, dict[str, Any]]] = {
    "size": ("{profile}Gi", {"resources": {"requests": {"storage": "50Gi"}}}),
    "storage_class": ("of-{username}", {"storageClassName": "of-alice"}),
    "access_modes": (["ReadWriteMany"], {"accessModes": ["ReadWriteMany"]}),
    "volume_attributes_class": ("of-{username}", {"volumeAttributesClassName": "of-alice"}),
    "volume_mode": ("Block", {"volumeMode": "Block"}),
    "volume_name": ("pv-{username}", {"volumeName": "pv-alice"}),
    "selector": (
        {"matchLabels": {"of": "{username}"}},
        {"selector": {"matchLabels": {"of": "alice"}}},
    ),
    "labels": ({"campus.edu/of": "{username}"}, {"campus.edu/of": "alice"}),
    "annotations": ({"campus.edu/is": "{claim}-{username}"}, {"campus.edu/is": "home-alice"}),
    "data_source": (
        {"kind": "PersistentVolumeClaim", "name": "of-{username}"},
        {"dataSource": {"kind": "PersistentVolumeClaim", "name": "of-alice"}},
    ),
}


@pytest.mark.parametrize("field", ClaimSpec.model_fields)
def test_all_that_a_claim_asks_for_has_fields_and_is_a_profiles_to_change(field: str) -> None:
    value, expected = OVERRIDES[field]
    claim = overridden(ClaimSettings(size="1Gi", storage_class="slow"), {field: value})
    (made,) = wanted_of({"home": claim}, owner(profile="50"), COMMON)
    metadata = made.manifest["metadata"]
    where = metadata[field] if field in metadata else made.manifest["spec"]
    assert where.items() >= expected.items()
    assert made.size == ("50Gi" if field == "size" else "1Gi")


def test_size_that_fields_make_none_of_is_refused_by_name() -> None:
    claims = settings({"home": {"size": "{profile}Gi"}}).claims
    with pytest.raises(ValueError, match=r"^claims\.home\.size: .* for 'alice': .*'labGi'"):
        list(wanted_of(claims, owner(profile="lab"), COMMON))


def test_command_to_grow_needs_a_size_where_it_is_not_the_same_for_all() -> None:
    claim = existing(wanted(owner(profile="5"), size="{profile}Gi"))
    storage = settings({"home": {"size": "{profile}0Gi"}})
    assert growing([], "", storage, [claim]) == []
    with pytest.raises(NotPossibleError, match="no one size for home-alice: say --size"):
        growing(["home-alice"], "", storage, [claim])
    (change,) = growing(["home-alice"], "7Gi", storage, [claim])
    assert change.text == "home-alice: 5Gi → 7Gi"


def test_nothing_is_asked_for_where_nothing_is_configured() -> None:
    assert StorageSettings().claims == {}
    assert StorageSettings().home is None
