"""A cell of a kernel and a line of a terminal, over the websockets that JupyterLab uses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

from .client import HubClient


async def run_cell(client: HubClient, server: str, code: str, seconds: float = 60) -> str:
    """
    Run code in a new kernel and return what it printed.

    Parameters
    ----------
    client
        Somebody who may use the server.
    server
        The path of the server, such as ``/user/alice/``.

    Raises
    ------
    TimeoutError
        The kernel has not answered in time.
    RuntimeError
        The code raised; the text is the exception's.
    """
    async with asyncio.timeout(seconds), _resource(client, f"{server}api/kernels") as kernel:
        session = uuid.uuid4().hex
        channels = f"{server}api/kernels/{kernel['id']}/channels?session_id={session}"
        async with client.websocket(channels) as socket:
            request = _execute_request(code, session)
            await socket.send_str(json.dumps(request))
            printed = ""
            while True:
                message = await socket.receive_json()
                if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                    continue
                kind, content = message["msg_type"], message["content"]
                if kind == "stream":
                    printed += content["text"]
                elif kind == "error":
                    raise RuntimeError(f"{content['ename']}: {content['evalue']}")
                elif kind == "status" and content["execution_state"] == "idle":
                    return printed


async def run_in_terminal(
    client: HubClient, server: str, line: str, until: str, seconds: float = 60
) -> str:
    """
    Type a line into a new terminal and return what is shown up to the text ``until``.

    Raises
    ------
    TimeoutError
        The text has not appeared in time.
    """
    async with asyncio.timeout(seconds), _resource(client, f"{server}api/terminals") as terminal:
        path = f"{server}terminals/websocket/{terminal['name']}"
        async with client.websocket(path) as socket:
            await socket.send_json(["stdin", line + "\r"])
            shown = ""
            while until not in shown:
                kind, *content = await socket.receive_json()
                if kind == "stdout":
                    shown += content[0]
            return shown


@contextlib.asynccontextmanager
async def _resource(client: HubClient, path: str) -> AsyncIterator[dict[str, Any]]:
    """Make a kernel or a terminal, and end it afterwards."""
    answer = await client.request("POST", path, {})
    if answer.status not in (200, 201):
        raise RuntimeError(f"POST {path} gave {answer.status}: {answer.text[:200]}")
    made: dict[str, Any] = answer.json()
    try:
        yield made
    finally:
        await client.request("DELETE", f"{path}/{made.get('id') or made['name']}")


def _execute_request(code: str, session: str) -> dict[str, Any]:
    """Return a message of the Jupyter protocol, version 5.3."""
    return {
        "channel": "shell",
        "header": {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "session": session,
            "username": "",
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False, "allow_stdin": False, "stop_on_error": True},
    }
