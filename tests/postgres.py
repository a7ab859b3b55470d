"""A private PostgreSQL on a loopback address, from Debian's programs or those on the path."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import psycopg

from jhext.demo.processes import Children, free_port

NEEDED = "needs PostgreSQL: apt-get install postgresql"
PASSWORD = "local-only"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "50",
    "shared_buffers": "32MB",
}


def binaries() -> Path | None:
    """Find the newest PostgreSQL; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """Run a server; give its address, without a database."""
    # It refuses to be root, and pytest's own directories are closed to others.
    as_root = os.getuid() == 0
    # Changing the user would clear the signal that ends it with its parent.
    user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    drop = ["setpriv", "--pdeathsig=KILL", *user] if as_root else []
    directory = Path(tempfile.mkdtemp(prefix="jhext-pg-", dir="/tmp"))
    if as_root:
        shutil.chown(directory, "postgres", "postgres")
    password = directory / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    port = free_port()
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    initdb: list[str | Path] = [
        *(programs / "initdb", "--pgdata", directory / "data", "--username=hub", "--no-sync"),
        *("--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"),
    ]
    server: list[str | Path] = [
        programs / "postgres",
        "-D",
        directory / "data",
        "-p",
        str(port),
        "-k",
        directory,
    ]
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
            started.wait_until(lambda: _answers(f"postgresql://{address}/postgres"), 30)
            yield address
    finally:
        shutil.rmtree(directory)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def new_database(address: str) -> str:
    """Make an empty database on a server; give its URL for SQLAlchemy."""
    name = f"t{token_hex(8)}"
    with psycopg.connect(f"postgresql://{address}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"postgresql+psycopg://{address}/{name}"
