"""Which servers the hub tells as idle or old: none is missed that is due, or to be warned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from jupyterhub import orm
from sqlalchemy.orm import Session

from jhext.culler.granted import SHORTEST
from jhext.hub_api.idle import IdleHandler

MINUTE = 60.0


class Asked(IdleHandler):  # type: ignore[misc]
    """The handler, asked with these arguments."""

    def __init__(self, **arguments: float) -> None:
        self.arguments = arguments

    def get_argument(self, name: str, default: Any = None) -> Any:
        return str(self.arguments.get(name, default))


@pytest.fixture
def session() -> Iterator[Session]:
    """Give a database with servers that were used so many minutes ago as their names say."""
    engine = sa.create_engine("sqlite://")
    orm.Base.metadata.create_all(engine)
    now = datetime.now(UTC).replace(tzinfo=None)
    with Session(engine) as session:
        user = orm.User(name="bob")
        for minutes in (2, 7, 12, 57):
            used = now - timedelta(minutes=minutes)
            session.add(orm.Spawner(name=str(minutes), user=user, started=used, last_activity=used))
        session.commit()
        yield session
    engine.dispose()


@pytest.mark.parametrize(
    ("granted", "asked", "told"),
    [
        ({}, {"timeout": 55 * MINUTE}, {"57"}),
        ({"timeout": 10 * MINUTE}, {"timeout": 55 * MINUTE}, {"12", "57"}),
        ({"max_age": 10 * MINUTE}, {"timeout": 55 * MINUTE}, {"12", "57"}),
        # Whoever is to be told of a stop five minutes before is told by then.
        ({"timeout": 10 * MINUTE}, {"warn_before": 5 * MINUTE}, {"7", "12", "57"}),
        ({"max_age": 10 * MINUTE}, {"warn_before": 5 * MINUTE}, {"7", "12", "57"}),
        ({"timeout": MINUTE}, {"warn_before": 5 * MINUTE}, {"2", "7", "12", "57"}),
        ({}, {"warn_before": 5 * MINUTE}, set()),
    ],
)
def test_limits_that_were_granted(
    session: Session, monkeypatch: Any, granted: Any, asked: Any, told: set[str]
) -> None:
    for key in ("timeout", "max_age"):
        monkeypatch.setattr(SHORTEST, key, granted.get(key, float("inf")))
    found = session.scalars(sa.select(orm.Spawner.name).where(Asked(**asked)._due()))
    assert set(found) == told
