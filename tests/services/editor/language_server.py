"""A language server, spoken to as an editor does: JSON-RPC over its standard streams."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


class LanguageServer:
    """A server that runs for a folder."""

    def __init__(self, folder: Path, reader: IO[bytes], writer: IO[bytes]) -> None:
        self.folder = folder
        self._reader = reader
        self._writer = writer
        self._last = 0
        self._diagnostics: dict[str, list[Any]] = {}

    def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """Ask for something, and give the answer."""
        self._last += 1
        self._send({"id": self._last, "method": method, "params": params})
        while "method" in (message := self._receive()) or message.get("id") != self._last:
            pass
        assert "error" not in message, message
        return message.get("result")

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Tell something that is not answered."""
        self._send({"method": method, "params": params})

    def open(self, path: Path) -> list[Any]:
        """Open a document, and give what is marked in it."""
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1}
        opened = {"textDocument": {**document, "text": path.read_text()}}
        self.notify("textDocument/didOpen", opened)
        while path.as_uri() not in self._diagnostics:
            self._receive()
        return self._diagnostics.pop(path.as_uri())

    def at(self, method: str, path: Path, line: int, character: int) -> Any:
        """Ask about a place, counted from 0."""
        position = {"line": line, "character": character}
        return self.request(method, {"textDocument": {"uri": path.as_uri()}, "position": position})

    def _send(self, message: Mapping[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self._writer.flush()

    def _receive(self) -> Any:
        """Take the next message; questions of the server are answered with nothing."""
        length = 0
        while line := self._reader.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server has ended"
        message = json.loads(self._reader.read(length))
        if "id" in message and "method" in message:
            items = message["params"].get("items", [])
            self._send({"id": message["id"], "result": [None for _ in items] or None})
        if message.get("method") == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message


@contextmanager
def started(program: Path, folder: Path) -> Iterator[LanguageServer]:
    """Start a language server for a folder, and end it."""
    process = subprocess.Popen(
        [program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder
    )
    assert process.stdin
    assert process.stdout
    try:
        server = LanguageServer(folder, process.stdout, process.stdin)
        can = {"textDocument": {"completion": {"completionItem": {"snippetSupport": False}}}}
        start = {"processId": None, "rootUri": folder.as_uri(), "capabilities": can}
        server.request("initialize", start)
        server.notify("initialized", {})
        # It would look for schemas of other files on the net.
        yaml = {"schemaStore": {"enable": False}, "validate": True, "hover": True}
        settings = {"yaml": {**yaml, "completion": True}}
        server.notify("workspace/didChangeConfiguration", {"settings": settings})
        yield server
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
