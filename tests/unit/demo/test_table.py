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

RULES = Path(str(files("jhext.demo") / "data" / "jhext.yaml"))


def lines(path: Path) -> dict[str, list[str]]:
    """Return the lines of each person, with the columns apart."""
    output = io.StringIO()
    console = Console(file=output, width=200)
    accounts = demo_accounts()
    console.print(who_may_start_what(read_catalog(path), accounts))
    found: dict[str, list[str]] = {}
    for line in output.getvalue().splitlines()[3:]:
        if line.startswith("│"):
            name, password, *rest = (cell.strip() for cell in line.strip("│").split("│"))
            about = found.setdefault(name or list(found)[-1], [])
            if name:
                secrets = {account.name: account.password for account in accounts}
                assert password == secrets[name].get_secret_value()
            about.append(" | ".join(rest))
    return found


def test_everybody_with_every_profile_and_reason() -> None:
    found = lines(RULES)
    assert list(found) == ["alice", "bob", "carol", "eve", "ada"]
    assert found["bob"][:3] == [
        "datascience, gpu | yes  small | group datascience is allowed",
        " | yes  medium | group datascience is allowed",
        " | yes  gpu | group gpu is allowed; GPUs: One, Two",
    ]
    assert found["ada"][2] == " | yes  gpu | group gpu is allowed; GPUs: One"
    assert found["carol"][1] == " | no   medium | carol is blocked"
    assert all(line.split(" | ")[1].startswith("no") for line in found["eve"])


def test_same_as_what_is_checked() -> None:
    """The check states by itself what each may start; both have to agree."""
    for name, rows in lines(RULES).items():
        may = {row.split(" | ")[1].split()[1] for row in rows if " | yes" in row}
        assert may == {wish.profile for wish in check._THEIRS[name]}


def test_table_follows_the_rules(tmp_path: Path) -> None:
    changed = tmp_path / "jhext.yaml"
    changed.write_text(RULES.read_text().replace("blocked_users: [carol]", "blocked_users: []"))
    assert " | yes  medium | group datascience is allowed" in lines(changed)["carol"]


def test_faulty_rules(tmp_path: Path) -> None:
    faulty = tmp_path / "jhext.yaml"
    faulty.write_text("profile: []\n")
    with pytest.raises(ConfigurationError, match="profile"):
        read_catalog(faulty)
