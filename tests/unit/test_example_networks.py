"""Whom the NetworkPolicies of the examples let talk to whom, with the labels of the real pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from jhext.identity.model import Identity
from jhext.offline.configuration import read_configuration
from jhext.offline.simulate import pod
from jhext.profiles.access import Person
from tests.openshift import processed
from tests.releases import skip_example_for_newer_ones

EXAMPLES = Path(__file__).parents[2] / "example_configs"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/netpol.yaml"))
TEMPLATE = {"HOST": "hub.example.org", "JUPYTERHUB_IMAGE": "hub:1"}
OUTSIDE = "the world"
SERVER, HUB, API, PUBLIC, SQL = 8888, 8081, 8001, 8000, 5432
Labels = Mapping[str, str]


@cache
def manifests(folder: Path) -> list[dict[str, Any]]:
    """Give the objects of a folder; its hub is that of `minimal` where it has none of its own."""
    hub = folder / "hub.yaml"
    template = folder / "template.yaml"
    if template.exists():
        found = processed(yaml.safe_load(template.read_text()), TEMPLATE)
    else:
        found = list(
            yaml.safe_load_all((hub if hub.exists() else EXAMPLES / "minimal/hub.yaml").read_text())
        )
    return [*found, yaml.safe_load((folder / "netpol.yaml").read_text())]


def deployed(folder: Path) -> dict[str, Labels]:
    """Give the labels of the pods that are not people's: hub, proxy, and perhaps a database."""
    return {
        item["metadata"]["name"]: item["spec"]["template"]["metadata"]["labels"]
        for item in manifests(folder)
        if item["kind"] == "Deployment"
    }


@cache
def pods(folder: Path) -> dict[str, Labels]:
    """Give the labels of all pods, with a server of each profile."""
    return deployed(folder) | dict(servers(folder))


def servers(folder: Path) -> Iterator[tuple[str, Labels]]:
    read = read_configuration(folder / "jhext.yaml")
    read.config.ProfileKubeSpawner.admin_bypass = True  # so that Ann may start them all
    home = read.settings.storage.home if read.settings.storage else None
    roots = getattr(home and home.source, "roots", ())
    identity = Identity(
        username="ann",
        uid=2000,
        gid=2000,
        home=f"{roots[0].path}/ann" if roots else None,
        resolved_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    knows = read.settings.identity is not None and read.settings.identity.mode == "user"
    for profile in read.catalog.profiles:
        asked = {"profile": profile.slug}
        made = pod(read, Person("ann", admin=True), asked, identity if knows else None)
        assert isinstance(made, dict), made
        yield profile.slug, made["metadata"]["labels"]


def selects(selector: Mapping[str, Any], labels: Labels) -> bool:
    assert selector.keys() <= {"matchLabels", "matchExpressions"}
    expressions = selector.get("matchExpressions", ())
    assert {item["operator"] for item in expressions} <= {"In"}
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(item["key"]) in item["values"] for item in expressions
    )


def lets(folder: Path, direction: str, whom: Labels | None, peer: Labels | None, port: int) -> bool:
    """Tell whether the policies of a pod let it talk; a pod that none selects may always."""
    if whom is None:
        return True
    policies = [
        item["spec"]
        for item in manifests(folder)
        if item["kind"] == "NetworkPolicy"
        and direction in item["spec"]["policyTypes"]
        and selects(item["spec"]["podSelector"], whom)
    ]
    key = {"Ingress": "from", "Egress": "to"}[direction]
    rules = [rule for policy in policies for rule in policy[direction.lower()]]
    return not policies or any(
        (key not in rule or any(is_peer(one, peer) for one in rule[key]))
        and ("ports" not in rule or port in [item["port"] for item in rule["ports"]])
        for rule in rules
    )


def is_peer(rule: Mapping[str, Any], peer: Labels | None) -> bool:
    """Tell whether a rule means a pod, or the world; addresses of pods are private."""
    if "ipBlock" in rule:
        private = {"10.0.0.0/8", "fc00::/7"} & set(rule["ipBlock"].get("except", ()))
        assert private, rule
        return peer is None
    if "namespaceSelector" in rule:
        return False  # all pods here are in one namespace, which is another one
    return peer is not None and selects(rule["podSelector"], peer)


def talk(folder: Path, source: str, target: str, port: int) -> bool:
    labels = pods(folder)
    one, other = labels.get(source), labels.get(target)
    return lets(folder, "Egress", one, other, port) and lets(folder, "Ingress", other, one, port)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_who_has_to_talk_may_and_nobody_else(folder: Path) -> None:
    skip_example_for_newer_ones(folder.name)
    beside = deployed(folder).keys()
    databases, people = beside - {"hub", "proxy"}, pods(folder).keys() - beside
    assert people
    expected = {
        *product(("hub", "proxy"), people, [SERVER]),
        *product((*people, "hub", "proxy"), ["hub"], [HUB]),
        *product((*beside, OUTSIDE), ["proxy"], [PUBLIC]),
        ("hub", "proxy", API),
        *product(["hub"], databases, [SQL]),
    }
    asked = {
        *product((*pods(folder), OUTSIDE), people, [SERVER]),
        *product((*pods(folder), OUTSIDE), ["hub"], [HUB]),
        *product((*pods(folder), OUTSIDE), ["proxy"], [PUBLIC, API]),
        *product((*pods(folder), OUTSIDE), databases, [SQL]),
    }
    assert {each for each in asked if talk(folder, *each)} == expected
