"""``jhext prepull``: the images of all profiles, pulled before anybody waits for them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ._manifests import CONFIG, ConfigArgument, NamespaceOption, configuration_in, print_manifests
from ._output import screen


class Form(StrEnum):
    """What pulls them."""

    DAEMONSETS = "daemonsets"
    CHART = "chart"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prepull", epilog="Example: jhext prepull jhext.yaml --namespace jhub")(prepull)


def prepull(
    file: ConfigArgument = CONFIG,
    namespace: NamespaceOption = "",
    image: Annotated[
        list[str] | None, typer.Option(help="One more image, for the nodes of all kinds.")
    ] = None,
    pause: Annotated[str, typer.Option(help="The image that stays, by default Kubernetes'.")] = "",
    form: Annotated[
        Form, typer.Option("--as", help="DaemonSets, or values for the Zero to JupyterHub chart.")
    ] = Form.DAEMONSETS,
) -> None:
    """Print a DaemonSet for each kind of node, which pulls the images that servers have there.

    It heeds the node selectors, tolerations and pull secrets of all profiles and choices; the list
    that the chart has of images cannot. What depends on the person is told on the standard error.
    Ends with 0, or with 2 when the configuration cannot be read.
    """
    from ..cluster.images import PAUSE, chart_values, images_of, manifests

    found = images_of(configuration_in(file), image or ())
    for text in found.unknown:
        screen(stderr=True).print(f"not pulled: {text}")
    if form is Form.CHART:
        print_manifests([chart_values(found.groups)])
    else:
        print_manifests(manifests(found, namespace, pause or PAUSE))
