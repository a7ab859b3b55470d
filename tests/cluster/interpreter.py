"""Servers that run code for their owner: a notebook, and one that starts in no time."""

from __future__ import annotations

from urllib.parse import quote

from jhext.demo.notebook import run_cell
from tests.cluster.bench import ClusterBench, start

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
PROFILES = [
    {"slug": "notebook", "display_name": "Notebook", "allow_all": True},
    {
        "slug": "interpreter",
        "display_name": "Interpreter",
        "allow_all": True,
        "kubespawner_override": {"cmd": ["python3", "-c", PROGRAM]},
    },
]


async def run_in_new_server(bench: ClusterBench, user: str, code: str, profile: str) -> str:
    """Start a server, run code in it, stop it, and return what it printed."""
    async with bench.browser(user) as browser:
        assert await start(browser, user, profile) == ""
        if profile == "notebook":
            assert (await browser.get(f"/user/{user}/lab")).status == 200
            printed = await run_cell(browser, f"/user/{user}/", code)
        else:
            answer = await browser.get(f"/user/{user}/?{quote(code)}")
            assert answer.status == 200, answer.text
            printed = answer.text
        await browser.stop_server(user)
    return printed.strip()
