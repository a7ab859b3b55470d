"""A person's own server, from which requests are forged."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from tests.hub.bench import Bench


@dataclass(frozen=True)
class Forger:
    """The program in a person's pod."""

    bench: Bench
    server: str
    """Where it answers."""
    hub_api: str
    """Where it reaches the hub itself."""

    async def login(self, headers: dict[str, str]) -> set[int]:
        """Log in with these headers, at the hub itself and by its proxy; give the answers."""
        directly = self.hub_api.removesuffix("/api")
        async with httpx.AsyncClient(timeout=30) as client:
            answers = [
                await client.post(self.server, json={"url": url, "headers": headers})
                for base in (directly, f"{self.bench.hub.url}/hub")
                for url in (f"{base}/header_login", f"{base}/api/user")
            ]
        return {int(answer.json()) for answer in answers}


async def forger_in(bench: Bench, name: str) -> Forger:
    """Wait for the server of somebody; give the program in it."""
    async with asyncio.timeout(30), httpx.AsyncClient() as client:
        while True:
            for pod in await bench.pods(name):
                server = f"http://{pod['status'].get('podIP')}:8888/"
                env = {e["name"]: e.get("value") for e in pod["spec"]["containers"][0]["env"]}
                try:
                    await client.get(server)
                except httpx.TransportError:
                    continue
                return Forger(bench, server, env["JUPYTERHUB_API_URL"])
            await asyncio.sleep(0.2)
