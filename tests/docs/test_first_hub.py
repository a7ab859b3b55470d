"""The first tutorial, from the start of the demo to a changed rule, as it is written."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from jhext.demo import accounts
from jhext.demo.client import Answer, HubClient
from jhext.demo.forms import SpawnForm
from tests.hub.test_demo import Running, check, running

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial" / "first-hub.md").read_text()
LINK = re.search(r"http://127\.0\.0\.1:8000(/hub/spawn\?\S+)", PAGE)
LINE = "    blocked_users: [carol]"


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder that the uids of the pods can reach, unlike pytest's own."""
    with TemporaryDirectory(prefix="jhext-demo-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "state"


async def offered(demo: Running, name: str) -> tuple[str, ...]:
    answer = await opened(demo, name, "/hub/spawn")
    return SpawnForm.parse(answer.text).profiles


async def opened(demo: Running, name: str, path: str) -> Answer:
    password = accounts.load(demo.state / "accounts.json")[name].password.get_secret_value()
    async with HubClient(demo.url) as client:
        await client.login(name, password)
        return await client.get(path)


async def test_every_step(state: Path) -> None:
    with running(state) as demo:
        for name in ("alice", "bob", "carol", "eve"):
            assert name in demo.printed.read_text()
        assert await offered(demo, "alice") == ("small", "medium")
        assert await offered(demo, "bob") == ("small", "medium", "gpu")
        assert await offered(demo, "carol") == ("small",)
        assert await offered(demo, "eve") == ()
        assert LINK
        assert (await opened(demo, "carol", LINK[1])).status == 403

        rules = state / "jhext.yaml"
        text = rules.read_text()
        written = re.sub(r" +#.*", "", text)
        shown = PAGE.split("```yaml\nprofiles:\n")[1].split("```")[0]
        assert shown in written
        assert LINE in shown
        without = "".join(line for line in text.splitlines(True) if not line.startswith(LINE))
        rules.write_text(without)
        assert await offered(demo, "carol") == ("small", "medium")

        rules.write_text(without.replace("allowed_groups", "alowed_groups", 1))
        assert await offered(demo, "alice") == ("small", "medium")
        log = state / "hub" / "hub.log"
        wait_for(log, "did you mean 'allowed_groups'")
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(60) == 0

    again = check(state)
    assert again.returncode == 1
    assert "allowed_groups" in again.stdout + again.stderr


def wait_for(log: Path, text: str) -> None:
    end = time.monotonic() + 30
    while text not in log.read_text():
        assert time.monotonic() < end, f"{text!r} is not in {log}"
        time.sleep(0.2)
