"""A git server over HTTPS that takes the tokens of an identity provider, as GitHub and GitLab do.

Arguments: the address, the port, a certificate and its key, the folder with the repositories, and
where the provider says whose token it is.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx
from aiohttp import web

from jhext.demo.processes import Children, free_port
from tests.cluster.kubernetes.pki import Authority

WRITES = {"public_repo", "repo"}


@dataclass(frozen=True)
class GitServer:
    """The server.

    Attributes
    ----------
    url
        Where it is.
    ca_file
        The certificate that it is known by.
    """

    url: str
    ca_file: Path
    folder: Path

    def create(self, name: str) -> str:
        """Make an empty repository, and return its address."""
        self._git("init", "--bare", "--initial-branch=main", f"{name}.git")
        return f"{self.url}/{name}.git"

    def authors(self, name: str) -> list[str]:
        """Return who wrote what has been pushed, the latest first."""
        return self._git("-C", f"{name}.git", "log", "--format=%an <%ae>", "main").splitlines()

    def _git(self, *command: str) -> str:
        done = subprocess.run(
            ["git", *command], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout


@contextmanager
def running_git(folder: Path, address: str, userinfo: str) -> Iterator[GitServer]:
    """Run a server at an address of this machine."""
    repositories = folder / "repositories"
    repositories.mkdir()
    authority = Authority(folder)
    pair = authority.issue("git", address)
    url = f"https://{address}:{(port := free_port())}"
    command = [
        *(sys.executable, "-m", "tests.git_http", address, str(port)),
        *(str(pair.certificate), str(pair.key), str(repositories), userinfo),
    ]
    trusted = ssl.create_default_context(cafile=str(authority.certificate))

    def answers() -> bool:
        try:
            return httpx.get(url, verify=trusted, trust_env=False).status_code == 404
        except httpx.TransportError:
            return False

    with Children() as children:
        top = Path(__file__).parents[1]
        child = children.start("git", command, env={}, cwd=top, log=folder / "git.log")
        child.wait_until(answers, 30)
        yield GitServer(url, authority.certificate, repositories)


class Server:
    """What `git http-backend` needs in front of it."""

    def __init__(self, folder: str, userinfo: str) -> None:
        self._folder = folder
        self._userinfo = userinfo

    async def answer(self, request: web.Request) -> web.Response:
        name = await self._name_of(request)
        if not name:
            asks = {"WWW-Authenticate": 'Basic realm="git"'}
            return web.Response(status=401, headers=asks)
        body = await request.read()
        environment = {
            "PATH": os.defpath,
            "HOME": self._folder,
            "GIT_PROJECT_ROOT": self._folder,
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": name,
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        pipe = asyncio.subprocess.PIPE
        backend = await asyncio.create_subprocess_exec(
            "git", "http-backend", stdin=pipe, stdout=pipe, env=environment
        )
        output, _ = await backend.communicate(body)
        head, _, content = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(headers.pop("Status", "200").split()[0])
        return web.Response(status=status, headers=headers, body=content)

    async def _name_of(self, request: web.Request) -> str:
        """Return the name of whoever has the token, if it may write."""
        try:
            given = aiohttp.BasicAuth.decode(request.headers.get("Authorization", ""))
        except ValueError:
            return ""
        bearer = {"Authorization": f"Bearer {given.password}"}
        async with (
            aiohttp.ClientSession() as session,
            session.get(self._userinfo, headers=bearer) as said,
        ):
            scopes = said.headers.get("X-OAuth-Scopes")
            if said.status != 200 or (scopes is not None and not WRITES & set(scopes.split(", "))):
                return ""
            person = await said.json()
            return str(person.get("login") or person["sub"])


def main(address: str, port: str, certificate: str, key: str, folder: str, userinfo: str) -> None:
    """Serve until the end."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    application = web.Application(client_max_size=2**26)
    answer = Server(folder, userinfo).answer
    application.add_routes([web.route("*", "/{name}.git/{rest:.*}", answer)])
    web.run_app(application, host=address, port=int(port), ssl_context=context, print=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
