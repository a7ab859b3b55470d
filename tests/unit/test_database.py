"""The URL of a database says exactly what its parts are."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

import jhext

TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1)


@given(password=TEXT, username=TEXT)
def test_every_character_arrives(password: str, username: str) -> None:
    url = sa.make_url(jhext.database_url("db", "hub", username, password))
    assert (url.username, url.password, url.host, url.database) == (username, password, "db", "hub")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "postgresql://hub:p%40ss%2Fw%3Ard@db.example.org/jupyterhub"),
        ({"port": 5433}, "postgresql://hub:p%40ss%2Fw%3Ard@db.example.org:5433/jupyterhub"),
        (
            {"drivername": "postgresql+psycopg"},
            "postgresql+psycopg://hub:p%40ss%2Fw%3Ard@db.example.org/jupyterhub",
        ),
    ],
)
def test_as_sqlalchemy_writes_it(more: dict[str, Any], expected: str) -> None:
    made = jhext.database_url("db.example.org", "jupyterhub", "hub", "p@ss/w:rd", **more)
    assert made == expected
