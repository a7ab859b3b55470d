"""The command line: every module of this package is one command, or begins with ``_``.

A module defines ``register(app)``, which adds its command to the typer application. Modules
import what is heavy (JupyterHub, kubernetes, the schema) inside the command, so that
``jhext --help`` and every other command stay quick.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import typer


def application() -> typer.Typer:
    """Build the application with the commands of all modules of this package."""
    app = typer.Typer(
        name="jhext",
        help="Profiles and identities for JupyterHub on Kubernetes.",
        no_args_is_help=True,
        rich_markup_mode="markdown",  # flows the lines of a paragraph
        # typer's own traceback shows the values of local variables, which may be secrets
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)  # else a single command would take the place of the group
    names = (found.name for found in iter_modules(__path__))
    for module in sorted(name for name in names if not name.startswith("_")):
        import_module(f"{__name__}.{module}").register(app)
    return app


def main() -> None:
    """Run the command that the arguments of this process name."""
    application()()
