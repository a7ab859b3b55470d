"""``jhext rbac``: what the hub may do in the cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from ._manifests import CONFIG, ConfigArgument, configuration_in, print_manifests
from ._output import cannot


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rbac", epilog="Example: jhext rbac jhext.yaml --namespace jhub")(rbac)


def rbac(
    file: ConfigArgument = CONFIG,
    namespace: Annotated[
        str, typer.Option(help="The namespace of the hub; by default the configured one.")
    ] = "",
    service_account: Annotated[str, typer.Option(help="What the hub runs as.")] = "hub",
    name: Annotated[str, typer.Option(help="What the Role and its binding are called.")] = "hub",
) -> None:
    """Print the exact Role for the features that are configured, and its binding.

    Where people have namespaces of their own, a ClusterRole. Ends with 0, or with 2 when the
    configuration cannot be read.
    """
    from ..cluster import rbac as roles
    from ..cluster.features import features_of
    from ..kube import current_namespace

    configuration = configuration_in(file)
    # A binding names the namespace of its account, also where it is applied to one.
    namespace = namespace or configuration.trait("namespace") or current_namespace()
    if not namespace:
        cannot(ValueError("say --namespace: the binding names it"))
    features = features_of(configuration)
    print_manifests(roles.manifests(features, namespace, service_account, name))
