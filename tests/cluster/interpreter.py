"""Servers that run code for their owner: a notebook, and one that starts in no time."""

from __future__ import annotations

from urllib.parse import quote

from jhext.demo.client import HubClient
from jhext.demo.notebook import run_cell
from tests.cluster.bench import ClusterBench, start, stop

PROGRAM = """\
import contextlib, http.server, io, urllib.parse

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code = urllib.parse.unquote(urllib.parse.urlsplit(self.path).query)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, globals().copy())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(printed.getvalue().encode())

http.server.HTTPServer(("", 8888), Handler).serve_forever()
"""
COMMAND = ["python3", "-c", PROGRAM]
PROFILES = [
    {"slug": "notebook", "display_name": "Notebook", "allow_all": True},
    {
        "slug": "interpreter",
        "display_name": "Interpreter",
        "allow_all": True,
        "kubespawner_override": {"cmd": COMMAND},
    },
]


async def run_in_interpreter(client: HubClient, user: str, code: str) -> str:
    """Run code in a server that runs, and return what it printed."""
    answer = await client.get(f"/user/{user}/?{quote(code)}")
    assert answer.status == 200, answer.text
    return answer.text


async def run_in_new_server(bench: ClusterBench, user: str, code: str, profile: str) -> str:
    """Start a server, run code in it, stop it, and return what it printed."""
    async with bench.browser(user) as browser:
        assert await start(browser, user, profile) == ""
        if profile == "notebook":
            assert (await browser.get(f"/user/{user}/lab")).status == 200
            printed = await run_cell(browser, f"/user/{user}/", code)
        else:
            printed = await run_in_interpreter(browser, user, code)
        await stop(browser, user)
    return printed.strip()
