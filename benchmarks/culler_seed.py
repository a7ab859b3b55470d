"""The database of a hub in which everybody has run a server for 30 hours."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from jupyterhub import orm

PERCENT = 8
"""So many percent are idle: the first for two hours, the next for four, and so on."""


def timeout(percent: int) -> float:
    """Give the seconds after which that percent, and those before it, count as idle.

    Servers are stopped for good, so a cycle is repeated with ever shorter timeouts.
    """
    return 3600.0 * (2 * (PERCENT - percent) - 1)


def seed(url: str, size: int) -> None:
    """Fill an empty database with what JupyterHub keeps of people and their servers."""
    session = orm.new_session_factory(url)()
    now = datetime.now(UTC).replace(tzinfo=None)
    role = orm.Role(name="user", description="Standard user privileges", scopes=["self"])
    groups = [orm.Group(name=f"lab-{number}") for number in range(50)]
    session.add_all([role, *groups, orm.OAuthClient(identifier="jupyterhub", secret="")])
    session.flush()
    for number in range(size):
        name, token = f"user-{number}", secrets.token_hex(16)
        user = orm.User(name=name, roles=[role], groups=[groups[number % 50]])
        position = number % 100
        idle = 2 * (position + 1) if position < PERCENT else 0
        client = orm.OAuthClient(identifier=f"jupyterhub-user-{name}", secret="")
        server = orm.Spawner(
            name="",
            user=user,
            server=orm.Server(ip="127.0.0.1", port=1, base_url=f"/user/{name}/"),
            oauth_client=client,
            state={"api_token": token, "jhext": {"version": 1, "profile": "small"}},
            user_options={"profile": "small"},
            started=now - timedelta(hours=30),
            last_activity=now - timedelta(hours=idle),
        )
        session.add_all([server, orm.APIToken(user=user, token=token, client_id="jupyterhub")])
    session.commit()
    session.close()
