"""The URL of a database, made of its parts so that no character of a password breaks it."""

from __future__ import annotations

from sqlalchemy import URL

POSTGRESQL = "postgresql"


def database_url(
    host: str,
    database: str,
    username: str,
    password: str,
    *,
    port: int | None = None,
    drivername: str = POSTGRESQL,
) -> str:
    """Give what ``c.JupyterHub.db_url`` is set to.

    Parameters
    ----------
    host, port
        Where the database is; by default at the port that is usual for it.
    database
        Its name.
    username, password
        As they are, not quoted.
    drivername
        SQLAlchemy's word for the kind of database, with ``+`` and the driver where it is not the
        default one.
    """
    url = URL.create(
        drivername, username=username, password=password, host=host, port=port, database=database
    )
    return url.render_as_string(hide_password=False)
