"""The table of the demo says what the rules say."""

from __future__ import annotations

import io
from importlib.resources import files
from pathlib import Path

import pytest
from rich.console import Console

from jhext.demo import check
from jhext.demo.accounts import demo_accounts
from jhext.demo.table import read_catalog, who_may_start_what
from jhext.profiles.finding import ConfigurationError

ACCOUNTS = demo_accounts()
RULES = Path(str(files("jhext.demo") / "data" / "jhext.yaml"))


def shown(path: Path) -> dict[str, list[tuple[str, str, str]]]:
    """Return the rows of each person, read from what is printed on 80 columns."""
    output = io.StringIO()
    console = Console(file=output, width=80)
    console.print(who_may_start_what(read_catalog(path), ACCOUNTS))
    body = output.getvalue().split("┡")[1]
    sections = [
        [
            tuple(cell.strip() for cell in line.strip("│").split("│"))
            for line in section.splitlines()
            if line.startswith("│")
        ]
        for section in body.split("├")
    ]
    return {rows[0][0]: rows for rows in sections}


def test_everybody_with_password_groups_every_profile_and_reason() -> None:
    found = shown(RULES)
    assert list(found) == [account.name for account in ACCOUNTS]
    bob = next(account for account in ACCOUNTS if account.name == "bob")
    assert found["bob"] == [
        ("bob", "yes  small", "group datascience is allowed"),
        (bob.password.get_secret_value(), "yes  medium", "group datascience is allowed"),
        ("datascience, gpu", "yes  gpu", "group gpu is allowed; GPUs: One, Two"),
        ("", "no   staff", "allow_if is false, not true"),
        ("", "no   brief", "allow_if is false, not true"),
    ]
    assert found["ada"][2][1:] == ("yes  gpu", "group gpu is allowed; GPUs: One")
    assert found["carol"][1][1:] == ("no   medium", "carol is blocked")
    assert all(may.startswith("no ") for _, may, _ in found["eve"])


def test_same_as_what_is_checked() -> None:
    """The check states by itself what each may start; both have to agree."""
    for name, rows in shown(RULES).items():
        may = {row[1].split()[1] for row in rows if row[1].startswith("yes")}
        assert may == {wish.profile for wish in check._THEIRS[name]}


def test_table_follows_the_rules(tmp_path: Path) -> None:
    changed = tmp_path / "jhext.yaml"
    changed.write_text(RULES.read_text().replace("blocked_users: [carol]", "blocked_users: []"))
    assert shown(changed)["carol"][1][1:] == ("yes  medium", "group datascience is allowed")


def test_faulty_rules(tmp_path: Path) -> None:
    faulty = tmp_path / "jhext.yaml"
    faulty.write_text("profile: []\n")
    with pytest.raises(ConfigurationError, match="profile"):
        read_catalog(faulty)
