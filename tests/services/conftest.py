"""Real servers on loopback addresses, each started once and stopped at the end."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest
import trustme

from jhext.demo.processes import Children
from jhext.identity.source import Workers

POSTGRES = "needs PostgreSQL: apt-get install postgresql"
PASSWORD = "local-only"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "50",
    "shared_buffers": "32MB",
}


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_binaries() -> Path | None:
    """Find the newest PostgreSQL, in Debian's place or on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a private PostgreSQL; give the address of its server, without a database."""
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip(POSTGRES)
    # It refuses to be root, and pytest's own directories are closed to others.
    as_root = os.getuid() == 0
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if as_root else []
    directory = Path(tempfile.mkdtemp(prefix="jhext-pg-", dir="/tmp"))
    if as_root:
        shutil.chown(directory, "postgres", "postgres")
    password = directory / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    port = free_port()
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    initdb = [
        *(binaries / "initdb", "--pgdata", directory / "data", "--username=hub", "--no-sync"),
        *("--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"),
    ]
    server = [binaries / "postgres", "-D", directory / "data", "-p", str(port), "-k", directory]
    for name, value in SETTINGS.items():
        server += ["-c", f"{name}={value}"]
    address = f"hub:{PASSWORD}@127.0.0.1:{port}"
    try:
        with Children() as children:
            made = children.start(
                "initdb", [*drop, *initdb], env=env, cwd=directory, log=directory / "initdb.log"
            )
            assert made.process.wait(60) == 0, made.log.read_text()
            started = children.start(
                "postgres", [*drop, *server], env=env, cwd=directory, log=directory / "log"
            )
            started.wait_until(lambda: answers(f"postgresql://{address}/postgres"), 30)
            yield address
    finally:
        shutil.rmtree(directory)


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """Make an empty database and give its URL for SQLAlchemy."""
    name = f"t{token_hex(8)}"
    with psycopg.connect(f"postgresql://{postgres}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"postgresql+psycopg://{postgres}/{name}"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Make a certificate authority that nobody else trusts."""
    return trustme.CA()


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Give threads to wait in."""
    workers = Workers(32)
    yield workers
    workers.close()
