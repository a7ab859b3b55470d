"""``jhext netpol``: who reaches people's servers, and whom they reach."""

from __future__ import annotations

from typing import Annotated

import typer

from ._manifests import CONFIG, ConfigArgument, NamespaceOption, configuration_in, print_manifests
from ._output import cannot


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("netpol", epilog="Example: jhext netpol jhext.yaml --reachable 10.20.0.0/16")(
        netpol
    )


def netpol(
    file: ConfigArgument = CONFIG,
    namespace: NamespaceOption = "",
    hub: Annotated[str, typer.Option(help="The labels of the hub's pod.")] = "component=hub",
    proxy: Annotated[str, typer.Option(help="The labels of the proxy's.")] = "component=proxy",
    reachable: Annotated[
        list[str] | None, typer.Option(help="Private addresses that servers may reach besides.")
    ] = None,
) -> None:
    """Print the NetworkPolicy of people's servers.

    Only the hub and the proxy reach them, none reaches another, and none the metadata of a cloud.
    It takes effect where the network of the cluster heeds such policies. Ends with 0, or with 2
    when the configuration or an option cannot be read.
    """
    from ipaddress import ip_network

    from ..cluster.network import network_of, policy

    try:
        blocks = [str(ip_network(cidr)) for cidr in reachable or ()]
        of_hub, of_proxy = _labels(hub), _labels(proxy)
    except ValueError as error:
        cannot(error)
    network = network_of(configuration_in(file))
    print_manifests([policy(network, namespace, hub=of_hub, proxy=of_proxy, reachable=blocks)])


def _labels(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(key and equals for key, equals, _ in pairs):
        raise ValueError(f"labels are written key=value, with commas in between, unlike {text!r}")
    return {key: value for key, _, value in pairs}
