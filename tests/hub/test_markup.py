"""What people and operators write is text wherever it is shown."""

from __future__ import annotations

import pytest

from jhext.demo.accounts import Account
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

NAUGHTY = "<script>alert(1)</script>\"'&{{1234567*1000}}"
ALICE = Account(name="alice", uid=2001, groups=(NAUGHTY,))
ADA = Account(name="ada", uid=2005, admin=True)
PROFILES = [
    {
        "slug": "small",
        "display_name": NAUGHTY,
        "description": NAUGHTY,
        "allowed_groups": [NAUGHTY],
        "profile_options": {
            "size": {
                "display_name": NAUGHTY,
                "choices": {"one": {"display_name": NAUGHTY}, "two": {"display_name": "2"}},
                "unlisted_choice": {
                    "enabled": True,
                    "display_name": NAUGHTY,
                    "validation_regex": "[a-z]+",
                    "validation_message": NAUGHTY,
                    "kubespawner_override": {"image": "{value}"},
                },
            }
        },
    },
]
OPTION = "profile-option-small--size"


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub([ALICE, ADA], {"profiles": PROFILES})


@pytest.mark.parametrize("user", ["alice", "ada"])
@pytest.mark.parametrize(
    "fields",
    [
        {"profile": NAUGHTY},
        {"profile": "small", OPTION: NAUGHTY},
        {"profile": "small", f"{OPTION}--unlisted-choice": NAUGHTY},
    ],
)
async def test_d29_text_stays_text(bench: Bench, user: str, fields: dict[str, str]) -> None:
    async with bench.browser("alice"), bench.browser(user) as browser:
        form = await browser.get("/hub/spawn/alice")
        assert form.status == 200
        assert "alert(1)" in form.text
        refused = await browser.post("/hub/spawn/alice", fields)
        assert refused.status == 403
        rest = await browser.api("POST", "/users/alice/server", {NAUGHTY: NAUGHTY})
        assert rest.status == 403
        again = await browser.get("/hub/spawn/alice")
    for page in (form, refused, again):
        assert "<script>alert" not in page.text
        assert "1234567000" not in page.text
