"""Manifests, as ``kubectl apply -f -`` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._output import cannot

if TYPE_CHECKING:
    from ..offline.configuration import Configuration

ConfigArgument = Annotated[
    Path,
    typer.Argument(exists=True, dir_okay=False, help="A jhext.yaml, or a jupyterhub_config.py."),
]
NamespaceOption = Annotated[
    str, typer.Option(help="The namespace of the hub; by default whoever applies it says which.")
]
CONFIG = Path("jhext.yaml")


def configuration_in(file: Path) -> Configuration:
    """Read a configuration with faultless profiles, or end and say what is wrong."""
    from ..offline.configuration import read_configuration
    from ..profiles.finding import ConfigurationError

    try:
        configuration = read_configuration(file)
        if configuration.has_profiles:
            configuration.catalog  # noqa: B018 - which is checked when it is read
    except ConfigurationError as error:
        cannot(error)
    return configuration


def print_manifests(manifests: Iterable[Mapping[str, Any]]) -> None:
    """Print manifests as YAML, with nothing in it that stands for something elsewhere."""
    import yaml

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, _: Any) -> bool:
            return True

    text = yaml.dump_all(manifests, Dumper=Plain, sort_keys=False, explicit_start=True)
    typer.echo(text, nl=False)
