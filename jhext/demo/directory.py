"""A real OpenLDAP with the people of the demo, where it is installed."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .accounts import Account
from .processes import Children, StartError, free_port, is_free

BASE = "dc=demo,dc=example"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
HUB = f"cn=hub,{BASE}"
ADMINS = "admins"

ADDRESS = "JHEXT_DEMO_LDAP"
"""The variable that tells the hub where the directory is."""
PASSWORD = "JHEXT_DEMO_LDAP_PASSWORD"  # noqa: S105 - the name of a variable
"""The variable with the password of the hub's own account."""

_SCHEMA = Path("/etc/ldap/schema")
_MODULES = Path("/usr/lib/ldap")
_SBIN = "/usr/sbin"
_CONFIG = """\
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
pidfile {folder}/slapd.pid
database mdb
suffix "{base}"
directory "{folder}/db"
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{hub}" read by * none
"""


@dataclass(frozen=True)
class DemoDirectory:
    """The directory, as the hub has to know it."""

    url: str
    password: str = field(repr=False)

    @property
    def env(self) -> Mapping[str, str]:
        """What the hub reads about it."""
        return {ADDRESS: self.url, PASSWORD: self.password}


def is_installed() -> bool:
    """Tell whether Debian's OpenLDAP is there."""
    found = all(shutil.which(name, path=_SBIN) for name in ("slapd", "slapadd"))
    return found and (_SCHEMA / "inetorgperson.schema").exists() and _MODULES.is_dir()


def start_directory(children: Children, folder: Path, accounts: Iterable[Account]) -> DemoDirectory:
    """
    Start a directory with these people in it, anew each time.

    Raises
    ------
    StartError
        It does not start.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "db").mkdir(parents=True)
    folder.chmod(0o700)
    directory = DemoDirectory(f"ldap://127.0.0.1:{free_port()}", secrets.token_hex(16))
    config, entries = folder / "slapd.conf", folder / "people.ldif"
    config.write_text(
        _CONFIG.format(schema=_SCHEMA, modules=_MODULES, folder=folder, base=BASE, hub=HUB)
    )
    entries.write_text(_ldif(accounts, directory.password))
    loaded = subprocess.run(  # noqa: S603 - nothing in it is anybody else's
        [f"{_SBIN}/slapadd", "-q", "-f", config, "-l", entries],
        capture_output=True,
        text=True,
        check=False,
    )
    if loaded.returncode:
        raise StartError(f"OpenLDAP does not take the people: {loaded.stderr}")
    port = int(directory.url.rpartition(":")[2])
    slapd = children.start(
        "OpenLDAP",
        [f"{_SBIN}/slapd", "-f", config, "-h", directory.url, "-d", "0"],
        env={"PATH": os.defpath},
        cwd=folder,
        log=folder / "slapd.log",
    )
    slapd.wait_until(lambda: not is_free(port), 15)
    return directory


def _ldif(accounts: Iterable[Account], hub_password: str) -> str:
    people = list(accounts)
    groups = {group: [a for a in people if group in a.groups] for a in people for group in a.groups}
    groups[ADMINS] = [account for account in people if account.admin]
    entries = [
        _entry(BASE, objectClass=["dcObject", "organization"], o=["Demo"]),
        _entry(PEOPLE, objectClass=["organizationalUnit"]),
        _entry(GROUPS, objectClass=["organizationalUnit"]),
        _entry(
            HUB,
            objectClass=["organizationalRole", "simpleSecurityObject"],
            userPassword=[hub_password],
        ),
    ]
    for account in people:
        entries.append(
            _entry(
                _dn(account),
                objectClass=["inetOrgPerson"],
                cn=[account.name],
                sn=[account.name],
                employeeType=list(account.claims.values()),
                userPassword=[account.password.get_secret_value()],
            )
        )
    for name, members in groups.items():
        if members:
            dn = f"cn={name},{GROUPS}"
            entries.append(
                _entry(dn, objectClass=["groupOfNames"], member=[_dn(a) for a in members])
            )
    return "\n".join(entries)


def _dn(account: Account) -> str:
    return f"uid={account.name},{PEOPLE}"


def _entry(dn: str, **attributes: list[str]) -> str:
    """Write an entry; its own name is one of its attributes, and all values are in base64."""
    key, _, value = dn.partition(",")[0].partition("=")
    lines = [f"dn: {dn}"]
    for name, values in {**attributes, key: [value]}.items():
        lines += [f"{name}:: {base64.b64encode(value.encode()).decode()}" for value in values]
    return "\n".join([*lines, ""])
