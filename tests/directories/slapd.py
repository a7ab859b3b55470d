"""A private OpenLDAP server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from string import Template
from typing import Literal
from urllib.parse import quote

import trustme

from jhext.demo.processes import Child, Children, free_port

from . import certificates
from .people import POSIX, ldif

Schema = Literal["rfc2307", "rfc2307bis"]

SLAPD = Path("/usr/sbin/slapd")
SLAPADD = Path("/usr/sbin/slapadd")
NEEDED = "needs OpenLDAP: apt-get install slapd ldap-utils"

BASE = "dc=example,dc=org"
ADMIN = f"cn=admin,{BASE}"
ADMIN_PASSWORD = "admin-pw"
HUB = f"cn=hub,ou=services,{BASE}"
HUB_PASSWORD = "hub-pw"

_DATA = Path(__file__).parent / "data"
_ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def is_installed() -> bool:
    return SLAPD.exists() and SLAPADD.exists() and Path("/usr/bin/ldapadd").exists()


class Slapd:
    """A server with the people and the groups of the tests.

    Parameters
    ----------
    children
        They end it.
    folder
        An empty folder with a short path: that of a socket in it may have 107 characters.
    schema
        How groups name their members: ``memberUid``, or ``member`` by DN with nested groups and
        the memberOf overlay.
    authority
        Whose certificate it shows.
    expired
        Whether that certificate's time is over.
    """

    def __init__(
        self,
        children: Children,
        folder: Path,
        schema: Schema,
        authority: trustme.CA,
        *,
        expired: bool = False,
    ) -> None:
        self.folder = folder
        self.schema = schema
        self.port, self.tls_port = free_port(), free_port()
        self.ca_file = folder / "ca.pem"
        self._children = children
        self._socket = f"ldapi://{quote(str(folder / 'socket'), safe='')}"
        certificates.write(authority, folder, "localhost", "127.0.0.1", expired=expired)
        (folder / "db").mkdir()
        (folder / "slapd.d").mkdir()
        self._configure()
        self.child = self.start()
        self.add((_DATA / "tree.ldif").read_text())
        self.add(ldif(POSIX))
        self.add((_DATA / f"groups-{schema}.ldif").read_text())

    @property
    def url(self) -> str:
        """Where it speaks without encryption, and with StartTLS."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Where it is encrypted from the first byte."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def start(self) -> Child:
        """Start it, on the same ports as before."""
        urls = f"{self.url} {self.tls_url} {self._socket}"
        command = [str(SLAPD), "-F", str(self.folder / "slapd.d"), "-h", urls, "-d", "0"]
        log = self.folder / "slapd.log"
        self.child = self._children.start("slapd", command, env=_ENV, cwd=self.folder, log=log)
        self.child.wait_until(self._answers, 30)
        return self.child

    def add(self, entries: str) -> None:
        """Add entries, as LDIF. Over the wire, since slapadd fills in no memberOf."""
        self._tell("ldapadd", entries)

    def modify(self, changes: str) -> None:
        """Change or delete entries, as LDIF with a changetype each."""
        self._tell("ldapmodify", changes)

    def _configure(self) -> None:
        schema = {
            "rfc2307": Path("/etc/ldap/schema/nis.ldif"),
            "rfc2307bis": _DATA / "rfc2307bis.ldif",
        }[self.schema]
        config = self.folder / "config.ldif"
        text = Template((_DATA / "slapd-config.ldif").read_text()).substitute(
            directory=self.folder, schema=schema, admin_password=ADMIN_PASSWORD
        )
        if self.schema == "rfc2307bis":
            text += (_DATA / "memberof.ldif").read_text()
        config.write_text(text)
        folder = str(self.folder / "slapd.d")
        command = [str(SLAPADD), "-n", "0", "-F", folder, "-l", str(config)]
        subprocess.run(command, env=_ENV, check=True, capture_output=True)

    def _answers(self) -> bool:
        command = ["ldapwhoami", "-x", "-H", self._socket, "-D", ADMIN, "-w", ADMIN_PASSWORD]
        return subprocess.run(command, env=_ENV, capture_output=True, check=False).returncode == 0

    def _tell(self, program: str, text: str) -> None:
        command = [program, "-x", "-H", self._socket, "-D", ADMIN, "-w", ADMIN_PASSWORD]
        done = subprocess.run(
            command, input=text, env=_ENV, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
