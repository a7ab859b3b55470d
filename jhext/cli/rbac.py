"""``jhext rbac``: what the hub may do in the cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from ._manifests import CONFIG, ConfigArgument, NamespaceOption, configuration_in, print_manifests


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rbac", epilog="Example: jhext rbac jhext.yaml --namespace jhub")(rbac)


def rbac(
    file: ConfigArgument = CONFIG,
    namespace: NamespaceOption = "",
    service_account: Annotated[str, typer.Option(help="What the hub runs as.")] = "hub",
    name: Annotated[str, typer.Option(help="What the Role and its binding are called.")] = "hub",
) -> None:
    """Print the exact Role for the features that are configured, and its binding.

    Where people have namespaces of their own, a ClusterRole. Ends with 0, or with 2 when the
    configuration cannot be read.
    """
    from ..cluster import rbac as roles
    from ..cluster.features import features_of

    features = features_of(configuration_in(file))
    print_manifests(roles.manifests(features, namespace, service_account, name))
