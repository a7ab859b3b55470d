"""``jhext crypt-keys``: the keys that encrypt auth_state."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ._output import cannot, screen


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = typer.Typer(
        help="The keys that encrypt auth_state.",
        epilog="Example: jhext crypt-keys rotate --file crypt_keys > new_keys",
        no_args_is_help=True,
    )
    keys.command(
        "rotate", epilog="Example: jhext crypt-keys rotate --file crypt_keys --keep 2 > new_keys"
    )(rotate)
    app.add_typer(keys, name="crypt-keys")


def rotate(
    file: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Where the keys in use are; by default the variable JUPYTERHUB_CRYPT_KEY.",
        ),
    ] = None,
    keep: Annotated[int, typer.Option(help="How many of them still decrypt.")] = 1,
) -> None:
    """Make a new key and print it before those in use: the next value of JUPYTERHUB_CRYPT_KEY.

    The first key encrypts, all decrypt. Nothing is changed: put what is printed into the Secret,
    and restart the hub. What it reads of somebody, such as at a start, it writes anew with the new
    key; rotate again when it has read of everybody. Ends with 0, or with 2 when the keys cannot be
    read.
    """
    from ..crypt_keys import SEPARATOR, VARIABLE, rotated, split

    try:
        text = file.read_text(encoding="utf-8") if file else os.environ.get(VARIABLE, "")
        keys = split(text)
        new = rotated(keys, keep)
    except (OSError, ValueError) as error:
        cannot(error)
    typer.echo(SEPARATOR.join(new))
    left = len(keys) + 1 - len(new)
    screen(stderr=True).print(f"1 key is new, {len(new) - 1} still decrypt, {left} are left out")
