"""The URL of a database, made of its parts so that no character of a password breaks it."""

from __future__ import annotations

from pydantic import Field
from sqlalchemy import URL

from .section import SecretRef, Section

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


class DatabaseSettings(Section):
    """The section ``hub.database``: where the hub keeps users, servers and tokens."""

    host: str = Field(description="Where it is.", examples=["jupyterhub-db"])
    port: int | None = Field(
        default=None, ge=1, le=65535, description="Its port; by default the usual one of its kind."
    )
    name: str = Field(default="jupyterhub", description="What it is called.")
    user: str = Field(default="jupyterhub", description="Who the hub is for it.")
    password: SecretRef = Field(
        description="The password, as it is: every character may be in it.",
        examples=[{"env": "JUPYTERHUB_DATABASE_PASSWORD"}],
    )
    drivername: str = Field(
        default=POSTGRESQL,
        pattern=r"^[a-z]+(\+[a-z0-9]+)?$",
        description="Its kind as SQLAlchemy writes it, with the driver.",
        examples=["postgresql+psycopg"],
    )

    def url(self) -> str:
        """Give what ``c.JupyterHub.db_url`` is set to.

        Raises
        ------
        ConfigurationError
            The password is not there.
        """
        password = self.password.resolve()
        return database_url(
            self.host,
            self.name,
            self.user,
            password,
            port=self.port,
            drivername=self.drivername,
        )
