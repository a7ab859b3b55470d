"""The network of people's servers: who reaches them, and whom they reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kubespawner.slugs import is_valid_label, safe_slug

from ..offline.configuration import Configuration
from .features import DEFAULT_PORT, HUB_PORT, values_of

Manifest = dict[str, Any]
JHEXT_COMPONENT = "jhext.io/component"
KUBESPAWNER_COMPONENT = "component"
DNS_PORT = 53
OPENSHIFT_DNS = {"kubernetes.io/metadata.name": "openshift-dns"}
OPENSHIFT_DNS_PORT = 5353
"""Where the pods of OpenShift's name servers listen: its network looks at a packet when the Service
has become a pod (OVN-Kubernetes), so that their Service's port is not what a policy sees."""
PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
"""Addresses of the cluster, of the site, and of the clouds' metadata servers."""
PRIVATE_6 = ("fc00::/7", "fe80::/10")


@dataclass(frozen=True)
class Network:
    """What a NetworkPolicy has to know of a hub.

    Parameters
    ----------
    label, components
        What every server's pod is labelled with, whatever its profile: a label that jhext sets
        after all hooks, where there are profiles, and KubeSpawner's own where there are none.
    ports
        Where servers listen.
    hub_port
        Where the hub's API listens.
    hub_is_elsewhere
        Whether servers are in other namespaces than the hub.
    """

    label: str = KUBESPAWNER_COMPONENT
    components: tuple[str, ...] = ("singleuser-server",)
    ports: tuple[int, ...] = (DEFAULT_PORT,)
    hub_port: int = HUB_PORT
    hub_is_elsewhere: bool = False


def network_of(configuration: Configuration) -> Network:
    """Tell what a configuration says of the network."""
    components = {str(value) for value in values_of(configuration, "component_label")}
    if configuration.has_profiles:
        components = {safe_slug(value, is_valid=is_valid_label) for value in components}
    return Network(
        label=JHEXT_COMPONENT if configuration.has_profiles else KUBESPAWNER_COMPONENT,
        components=tuple(sorted(components)),
        ports=tuple(sorted({port or DEFAULT_PORT for port in values_of(configuration, "port")})),
        hub_port=_hub_port(configuration),
        hub_is_elsewhere=any(values_of(configuration, "enable_user_namespaces")),
    )


def _hub_port(configuration: Configuration) -> int:
    """Tell where the hub listens: JupyterHub's newer trait for it comes before the older one."""
    port: int = configuration.hub_trait("hub_port", HUB_PORT)
    return urlsplit(configuration.hub_trait("hub_bind_url", "")).port or port


def policy(
    network: Network,
    namespace: str = "",
    *,
    hub: Mapping[str, str],
    proxy: Mapping[str, str],
    reachable: Sequence[str] = (),
    name: str = "jhext-servers",
) -> Manifest:
    """Give the NetworkPolicy of people's servers.

    Only the hub and the proxy reach them. They reach the hub's API, name servers, and all that is
    not private; so neither each other nor the metadata of a cloud.

    Parameters
    ----------
    network
        What the configuration says.
    namespace
        Where the servers are; where it is empty, whoever applies the policy says where. Where
        people have namespaces of their own, each needs one, and this is the hub's.
    hub, proxy
        What their pods are labelled with.
    reachable
        Private addresses that servers may reach besides, as ``10.1.0.0/16``.
    name
        What it is called.
    """
    elsewhere = {}
    if network.hub_is_elsewhere:
        names = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        elsewhere = {"namespaceSelector": names if namespace else {}}
    placed = {"namespace": namespace} if namespace and not network.hub_is_elsewhere else {}

    def pods(labels: Mapping[str, str]) -> Manifest:
        return {**elsewhere, "podSelector": {"matchLabels": dict(labels)}}

    blocks = [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(PRIVATE)}},
        {"ipBlock": {"cidr": "::/0", "except": list(PRIVATE_6)}},
        *({"ipBlock": {"cidr": cidr}} for cidr in reachable),
    ]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, **placed},
        "spec": {
            "podSelector": {
                "matchExpressions": [
                    {"key": network.label, "operator": "In", "values": list(network.components)}
                ]
            },
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [pods(hub), pods(proxy)], "ports": _ports("TCP", *network.ports)}],
            "egress": [
                {"to": [pods(hub)], "ports": _ports("TCP", network.hub_port)},
                {"ports": [*_ports("UDP", DNS_PORT), *_ports("TCP", DNS_PORT)]},
                {
                    "to": [{"namespaceSelector": {"matchLabels": dict(OPENSHIFT_DNS)}}],
                    "ports": [
                        *_ports("UDP", OPENSHIFT_DNS_PORT),
                        *_ports("TCP", OPENSHIFT_DNS_PORT),
                    ],
                },
                {"to": blocks},
            ],
        },
    }


def _ports(protocol: str, *ports: int) -> list[Manifest]:
    return [{"protocol": protocol, "port": port} for port in ports]
