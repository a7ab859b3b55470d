"""The least that the hub takes for a single-user server: quick to start, with nothing to use.

It shows which headers it is sent, and asks what it is told to from the address of its pod.
"""

from __future__ import annotations

import json
import os
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(dict(self.headers))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        url = urlsplit(asked["url"])
        own = (self.server.server_address[0], 0)
        connection = HTTPConnection(url.hostname or "", url.port, timeout=10, source_address=own)
        connection.request("GET", url.path, headers=asked["headers"])
        self._answer(connection.getresponse().status)

    def _answer(self, body: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


if __name__ == "__main__":
    where = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    HTTPServer((where.hostname or "", where.port or 0), Answer).serve_forever()
