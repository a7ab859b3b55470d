"""The NetworkPolicy: it goes by what every pod of a server has, whatever its profile."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.cluster.network import Network, network_of, policy
from tests.unit.cluster.conftest import SMALL, Configured

HUB, PROXY = {"component": "hub"}, {"component": "proxy"}


def profile(**overrides: Any) -> dict[str, Any]:
    return {"profiles": [SMALL | {"kubespawner_override": overrides}]}


@pytest.mark.parametrize(
    ("settings", "python", "expected"),
    [
        pytest.param(None, "", Network(label="jhext.io/component"), id="profiles"),
        pytest.param(
            {"hub": {"default_access": "allow"}},
            "",
            Network(),
            id="no profiles, no labels of jhext",
        ),
        pytest.param(
            None,
            "c.KubeSpawner.port = 9999\nc.JupyterHub.hub_port = 8085",
            Network(label="jhext.io/component", ports=(9999,), hub_port=8085),
            id="ports",
        ),
        pytest.param(
            None,
            "c.JupyterHub.hub_bind_url = 'http://0.0.0.0:8090/hub'",
            Network(label="jhext.io/component", hub_port=8090),
            id="port of the hub in its URL",
        ),
        pytest.param(
            profile(component_label="lab", port=7777),
            "",
            Network(
                label="jhext.io/component",
                components=("lab", "singleuser-server"),
                ports=(7777, 8888),
            ),
            id="a profile of its own kind",
        ),
        pytest.param(
            None,
            "c.KubeSpawner.enable_user_namespaces = True",
            Network(label="jhext.io/component", hub_is_elsewhere=True),
            id="namespaces of people",
        ),
    ],
)
def test_network(configured: Configured, settings: Any, python: str, expected: Network) -> None:
    assert network_of(configured(settings, python)) == expected


def test_name_servers_of_openshift_are_reached_where_they_listen() -> None:
    spec = policy(Network(), hub=HUB, proxy=PROXY)["spec"]
    named = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}
    (rule,) = (rule for rule in spec["egress"] if rule.get("to") == [named])
    assert rule["ports"] == [{"protocol": name, "port": 5353} for name in ("UDP", "TCP")]


def test_in_other_namespaces_the_hub_is_named_by_its_own() -> None:
    made = policy(Network(hub_is_elsewhere=True), "jhub", hub=HUB, proxy=PROXY)
    (ingress,) = made["spec"]["ingress"]
    assert all(
        peer["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "jhub"}}
        for peer in ingress["from"]
    )
    assert "namespace" not in made["metadata"]
