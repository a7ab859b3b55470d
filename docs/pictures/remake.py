"""Make the pictures ``check.svg`` and ``form.png`` anew, from a demo hub that this starts.

It takes a minute or two, and Debian's ``chromium`` for the form.
"""

from __future__ import annotations

import asyncio
import base64
import io
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from jhext.demo.accounts import load
from jhext.demo.client import HubClient
from jhext.demo.run import Demo, prove, run

PICTURES = Path(__file__).parent
SHOWN_FIRST, SHOWN_LAST = 24, 3
"""Lines of what ``jhext demo --check`` prints."""


def remake(demo: Demo) -> int:
    """Draw what ``jhext demo --check`` prints, without its middle, and the form."""
    code = prove(demo)
    printed = demo.console.export_text(styles=True).splitlines()
    lines = [line for line in printed if "Note:" not in line]  # which is about this machine
    shown = [*lines[:SHOWN_FIRST], "…", *lines[-SHOWN_LAST:]]
    paper = Console(record=True, width=100, file=io.StringIO())
    paper.print(Text.from_ansi("\n".join(shown)), soft_wrap=True, crop=True, no_wrap=True)
    (PICTURES / "check.svg").write_text(paper.export_svg(title="jhext demo --check"))
    page = demo.state.folder / "form.html"
    page.write_text(asyncio.run(form(demo)))
    subprocess.run(  # noqa: S603 - of its own files
        [
            *("/usr/bin/chromium", "--headless", "--no-sandbox", "--hide-scrollbars"),
            *("--window-size=900,640", f"--screenshot={PICTURES / 'form.png'}", page.as_uri()),
        ],
        check=True,
    )
    return code


async def form(demo: Demo) -> str:
    """Give the page with the form that Bob sees, as it looks without the hub."""
    bob = load(demo.state.accounts_file)["bob"]
    async with HubClient(demo.hub.url) as client:
        await client.login(bob.name, bob.password.get_secret_value())
        page = (await client.get("/hub/spawn")).text
        for link in re.findall(r'<link rel="stylesheet"\s+href="([^"]+)"', page):
            style = base64.b64encode((await client.get(link)).text.encode()).decode()
            page = page.replace(link, f"data:text/css;base64,{style}")
    return re.sub(r"<script.*?</script>|<img[^>]*>", "", page, flags=re.DOTALL)


if __name__ == "__main__":
    with TemporaryDirectory(prefix="jhext-demo-") as folder:
        Path(folder).chmod(0o711)
        console = Console(record=True, width=100, file=io.StringIO())
        run(Path(folder, "state"), 0, console, remake)
