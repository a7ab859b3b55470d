"""Which claim a server gets: never an empty one where it had files, never somebody else's."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.storage import labels
from jhext.storage.claims import Wanted, wanted_of
from jhext.storage.deletion import to_delete
from jhext.storage.errors import StorageReason, StorageRefused
from jhext.storage.guards import Choice, Known, choose
from jhext.storage.volumes import Object, Owner
from tests.unit.storage.claims_of import COMMON, existing, kubespawners, owner, settings, wanted

ALICE = owner()


def known(*claims: Object, **more: Any) -> Known:
    named = {claim["metadata"]["name"]: claim for claim in claims}
    return Known(named, home="home", **{"elsewhere": frozenset(more.pop("elsewhere", ())), **more})


def refusal(one: Wanted, what: Known, whose: Owner = ALICE) -> StorageRefused:
    with pytest.raises(StorageRefused) as refused:
        choose(one, whose, what)
    return refused.value


def test_new_person_gets_a_new_claim() -> None:
    one = wanted()
    assert choose(one, ALICE, known()) == Choice("home-alice", create=one.manifest)


def test_claim_that_is_there_is_used() -> None:
    one = wanted()
    assert choose(one, ALICE, known(existing(one))) == Choice("home-alice")


def test_remembered_name_wins_over_a_changed_template() -> None:
    one = wanted()
    what = known(existing(one, "old-name"), remembered={"home": "old-name"})
    assert choose(one, ALICE, what).name == "old-name"


@pytest.mark.parametrize("status", [{"phase": "Lost"}, {"deletionTimestamp": "now"}, None])
def test_lost_claim_is_said_and_not_replaced(status: Any) -> None:
    one = wanted()
    claims = []
    if status is not None:
        claim: Any = existing(one, phase=status.get("phase", "Bound"))
        claim["metadata"] |= {k: v for k, v in status.items() if k == "deletionTimestamp"}
        claims = [claim]
    refused = refusal(one, known(*claims, remembered={"home": "home-alice"}))
    assert refused.reason is StorageReason.LOST
    assert "home-alice" in refused.message


def test_lost_claim_is_replaced_where_that_is_configured() -> None:
    one = wanted(when_lost="create")
    assert choose(one, ALICE, known(remembered={"home": "home-alice"})).create


@pytest.mark.parametrize("when_lost", ["refuse", "create"])
def test_adopted_claim_takes_the_place_of_a_lost_one(when_lost: str) -> None:
    """What was restored from a backup has another name; else nothing could end the refusal."""
    one = wanted(when_lost=when_lost)
    restored: Any = existing(one, "restored")
    restored["metadata"]["annotations"][labels.ADOPTED] = "true"
    remembered = {"home": "home-alice"}
    assert choose(one, ALICE, known(restored, remembered=remembered)) == Choice("restored")
    there = known(restored, existing(one), remembered=remembered)
    assert choose(one, ALICE, there) == Choice("home-alice")


def test_claim_that_should_be_there_is_not_made() -> None:
    assert refusal(wanted(when_missing="refuse"), known()).reason is StorageReason.LOST


@pytest.mark.parametrize("user", ["Alice", "alicea", "alic"])
def test_d26_claim_of_another_person_is_never_used(user: str) -> None:
    one = wanted()
    claim = kubespawners(one.name, user)
    for what in (known(claim), known(claim, remembered={"home": one.name})):
        refused = refusal(one, what)
        assert refused.reason is StorageReason.OTHERS
        assert user not in refused.message.replace("alice", "")


def test_claim_that_says_nothing_is_used_only_where_it_was_prepared() -> None:
    claim = {"metadata": {"name": "home-alice"}, "spec": {}}
    assert "adopt home-alice --claim home --user alice" in refusal(wanted(), known(claim)).detail
    assert choose(wanted(when_missing="refuse"), ALICE, known(claim)).name == "home-alice"


def test_claim_of_a_group_is_that_groups() -> None:
    member = owner(groups=("lab", "gpu"))
    gpu, lab = wanted_of(
        settings({"data": {"per": "group", "groups": ["lab", "gpu"]}}).claims, member, COMMON
    )
    assert choose(gpu, member, known(existing(gpu))).name == "data-gpu"
    assert refusal(gpu, known(existing(lab, "data-gpu")), member).reason is StorageReason.OTHERS
    bare = {"metadata": {"name": "data-gpu"}, "spec": {}}
    detail = refusal(gpu, known(bare), member).detail
    assert detail.endswith("jhext storage adopt data-gpu --claim data --group gpu")


def test_claim_of_another_key_is_never_used() -> None:
    one = wanted()
    claim: Any = existing(one)
    claim["metadata"]["labels"][labels.CLAIM] = "scratch"
    assert refusal(one, known(claim)).reason is StorageReason.OTHERS


@pytest.mark.parametrize(
    "older",
    [
        kubespawners("claim-alice"),
        kubespawners("something-else"),
        existing(wanted(), "home-of-alice"),
    ],
    ids=["KubeSpawner's", "KubeSpawner's by another template", "ours by another template"],
)
def test_empty_home_never_takes_the_place_of_an_older_one(older: Object) -> None:
    refused = refusal(wanted(), known(older))
    assert refused.reason is StorageReason.OLDER
    name = older["metadata"]["name"]
    assert name in refused.message
    assert "home-alice" in refused.message
    assert f"jhext storage adopt {name} --claim home --user alice" in refused.detail


def test_name_that_kubespawner_6_gave_is_found() -> None:
    whose = owner("alice@uni.edu")
    one = wanted(whose, name="claim-{username}")
    (escaped,) = one.older
    assert escaped == "claim-alice-40uni-2eedu"
    bare = {"metadata": {"name": escaped}, "spec": {}}
    refused = refusal(one, known(bare), whose)
    assert escaped in refused.message
    assert one.name in refused.message


@pytest.mark.parametrize("others", [1, 2])
def test_d45_adoption_is_of_exactly_one(others: int) -> None:
    one = wanted()
    claims: list[Any] = [existing(one, f"old-{number}") for number in range(others)]
    for claim in claims:
        patch = labels.adoption("home", "keep", ALICE)["metadata"]
        claim["metadata"]["annotations"] |= patch["annotations"]
    if others == 1:
        assert choose(one, ALICE, known(*claims, kubespawners("claim-alice"))).name == "old-0"
    else:
        refused = refusal(one, known(*claims))
        assert "old-0, old-1" in refused.message


def test_d45_of_two_nobody_knows_which() -> None:
    one = wanted()
    refused = refusal(one, known(existing(one), existing(one, "home-alice----2")))
    assert refused.reason is StorageReason.OLDER
    assert "home-alice, home-alice----2" in refused.message


def test_no_empty_claim_takes_the_place_of_a_directory() -> None:
    before = {"directory": "/home/alice"}
    refused = refusal(wanted(), known(**before))
    assert refused.reason is StorageReason.OLDER
    assert "home-alice" in refused.message
    assert "/home/alice" in refused.message
    assert "jhext storage adopt home-alice --claim home --user alice" in refused.detail
    assert choose(wanted(), ALICE, known(existing(wanted()), **before)) == Choice("home-alice")
    assert choose(wanted(when_lost="create"), ALICE, known(**before)).create
    (data,) = wanted_of(settings({"data": {}}).claims, ALICE, COMMON)
    assert choose(data, ALICE, known(**before)).create


def test_older_claim_of_another_server_does_not_matter() -> None:
    one = wanted(owner(server="gpu"), per="server")
    assert choose(one, owner(server="gpu"), known(kubespawners("claim-alice"))).create


def test_renamed_server_keeps_its_claim_and_the_new_one_gets_another() -> None:
    default = wanted(per="server")
    claim = existing(default)
    renamed = owner(server="proj")
    remembered = known(claim, remembered={"home": "claim-alice"})
    assert choose(wanted(renamed, per="server"), renamed, remembered).name == "claim-alice"
    choice = choose(default, ALICE, known(claim, elsewhere={"claim-alice"}))
    assert choice.name == "claim-alice----2"
    assert choice.create
    assert choice.create["metadata"]["name"] == "claim-alice----2"
    both = known(claim, existing(default, choice.name), elsewhere={"claim-alice"})
    assert choose(default, ALICE, both).name == "claim-alice----2"


def test_claim_of_the_person_is_not_made_anew_for_the_next_server() -> None:
    """Another server remembers it under the name that an older template gave."""
    one = wanted(owner(server="gpu"), name="new-{username}")
    claim = existing(wanted(), "home-alice")
    refused = refusal(one, known(claim, elsewhere={"home-alice"}), owner(server="gpu"))
    assert refused.reason is StorageReason.OLDER


@pytest.mark.parametrize(
    ("size", "phase", "grows"),
    [
        ("2Gi", "Bound", True),
        ("1Gi", "Bound", False),
        ("1Mi", "Bound", False),
        ("2Gi", "Pending", False),
    ],
)
def test_claims_grow_and_never_shrink(size: str, phase: str, grows: bool) -> None:
    one = wanted(size=size, grow="when_larger")
    choice = choose(one, ALICE, known(existing(wanted(), phase=phase)))
    expected = {"spec": {"resources": {"requests": {"storage": size}}}}
    assert choice.patch == (expected if grows else None)
    still = choose(wanted(size=size), ALICE, known(existing(wanted(), phase=phase)))
    assert still.patch is None


# What is deleted


def doomed(claims: list[Object], server: str = "", elsewhere: tuple[str, ...] = ()) -> list[str]:
    return [c["metadata"]["name"] for c in to_delete(claims, "alice", server, elsewhere)]


@pytest.mark.parametrize("retention", ["keep", "delete_with_server", "delete_with_user"])
@pytest.mark.parametrize("server", ["", "gpu", "other"])
def test_what_the_claim_says_decides(retention: str, server: str) -> None:
    whose = owner(server="gpu")
    claim = existing(wanted(whose, per="server", retention=retention))
    goes = (server == "" and retention != "keep") or (
        server == "gpu" and retention == "delete_with_server"
    )
    assert doomed([claim], server) == (["claim-alice--gpu"] if goes else [])


def test_only_what_is_labelled_is_deleted() -> None:
    mine = wanted(per="server", retention="delete_with_server")
    of_another = existing(wanted(owner("alicea"), per="server", retention="delete_with_server"))
    assert doomed([kubespawners("claim-alice"), of_another]) == []
    stripped: Any = existing(mine)
    for name in (labels.USER, labels.CLAIM, labels.RETENTION):
        claim: Any = existing(mine)
        del claim["metadata"]["labels"][name]
        assert doomed([claim]) == []
    del stripped["metadata"]["annotations"][labels.OWNER]
    assert doomed([stripped]) == []


def test_claim_that_another_server_remembers_is_kept() -> None:
    whose = owner(server="gpu")
    claim = existing(wanted(whose, per="server", retention="delete_with_server"))
    assert doomed([claim], "gpu", ("claim-alice--gpu",)) == []
