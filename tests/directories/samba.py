"""A private Samba as the domain controller of an Active Directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from string import Template

import trustme

from jhext.demo.processes import Children
from tests.cluster.kubernetes.cache import Build

from . import certificates
from .folders import short_folder
from .people import DOMAIN, ldif

NEEDED = (
    "needs root and Samba: apt-get install --no-install-recommends samba samba-ad-dc "
    "samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind krb5-user attr ldap-utils"
)
BASE = "DC=ad,DC=example,DC=org"
DOMAIN_SID = "S-1-5-21-2153326666-2176343378-3404031434"
ADMIN = "Administrator@ad.example.org"
ADMIN_PASSWORD = "Adm1n-Passw0rd"
HUB = "hub@ad.example.org"
HUB_PASSWORD = "hub-pw"

_DATA = Path(__file__).parent / "data"
_ENV = {"PATH": f"{os.environ['PATH']}:/usr/sbin", "LC_ALL": "C.UTF-8"}
_TOOL = "/usr/bin/samba-tool"
_OUS = "\n".join(
    f"dn: OU={name},{BASE}\nobjectClass: organizationalUnit\n" for name in ("People", "Groups")
)


def is_installed() -> bool:
    """Tell whether it can run: its ports are fixed, and below 1024."""
    setup = Path("/usr/share/samba/setup/provision.ldif")
    return os.getuid() == 0 and setup.exists() and Path(_TOOL).exists()


class Samba:
    """A domain controller with the people and the groups of the tests.

    Parameters
    ----------
    children
        They end it.
    folder
        A folder with a provisioned domain in it.
    authority
        Whose certificate it shows.
    """

    def __init__(self, children: Children, folder: Path, authority: trustme.CA) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        # Nobody else has this address of the loopback interface as long as this process runs.
        number = os.getpid()
        self.address = f"127.{1 + number // 62500 % 250}.{number // 250 % 250}.{1 + number % 250}"
        certificates.write(authority, folder, "localhost", self.address)
        config = Template((_DATA / "smb.conf").read_text()).substitute(
            address=self.address, directory=folder
        )
        (folder / "smb.conf").write_text(config)
        command = ["/usr/sbin/samba", "-i", "-M", "single", "-s", folder / "smb.conf"]
        self.child = children.start("samba", command, env=_ENV, cwd=folder, log=folder / "log")
        self.child.wait_until(self._answers, 60)

    @property
    def url(self) -> str:
        """Where it speaks without encryption, and with StartTLS."""
        return f"ldap://{self.address}"

    @property
    def tls_url(self) -> str:
        """Where it is encrypted from the first byte."""
        return f"ldaps://{self.address}"

    def modify(self, changes: str) -> None:
        """Add, change or delete entries, as LDIF with a changetype each."""
        login = ["-x", "-H", self.tls_url, "-D", ADMIN, "-w", ADMIN_PASSWORD]
        done = subprocess.run(
            ["ldapmodify", "-a", *login],
            input=changes,
            env={**_ENV, "LDAPTLS_CACERT": str(self.ca_file)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _answers(self) -> bool:
        command = ["ldapsearch", "-x", "-H", self.url, "-b", "", "-s", "base", "currentTime"]
        return subprocess.run(command, env=_ENV, capture_output=True, check=False).returncode == 0


def provisioned() -> Path:
    """Give the folder of a domain with all people in it, made once on this machine."""
    recipe = b"".join(
        path.read_bytes()
        for path in (Path(__file__), Path(__file__).with_name("people.py"), *_recipe_data())
    )
    version = subprocess.run(
        ["/usr/sbin/samba", "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[-1]
    digest = hashlib.sha256(recipe).hexdigest()[:12]
    return Build(f"samba-{version}-{digest}", _provision).ensure()


def copy(source: Path, target: Path) -> None:
    """Copy a domain, whose databases are mostly holes."""
    subprocess.run(["cp", "-a", "--sparse=always", f"{source}/.", target], check=True)


def _recipe_data() -> list[Path]:
    return [_DATA / "smb.conf", _DATA / "groups-ad.ldif"]


def _provision(target: Path) -> None:
    with short_folder() as folder:
        _fill(folder)
        copy(folder, target)


def _fill(folder: Path) -> None:
    empty = folder / "empty.conf"
    empty.write_text("[global]\n")
    options = {
        "server-role": "dc",
        "realm": "AD.EXAMPLE.ORG",
        "domain": "EXAMPLEAD",
        "domain-sid": DOMAIN_SID,
        "adminpass": ADMIN_PASSWORD,
        "dns-backend": "NONE",
        "targetdir": str(folder),
        "host-name": "dc1",
        "host-ip": "127.0.0.1",
        "option": "acl_xattr:security_acl_name=user.NTACL",
    }
    given = [f"--{key}={value}" for key, value in options.items()]
    _run(_TOOL, "domain", "provision", "-s", str(empty), "--use-rfc2307", *given)
    _run(
        *(_TOOL, "domain", "passwordsettings", "set", "-s", str(folder / "etc" / "smb.conf")),
        *("-H", str(folder / "private" / "sam.ldb")),
        *("--complexity=off", "--min-pwd-length=3", "--min-pwd-age=0"),
    )
    with Children() as children:
        server = Samba(children, folder, trustme.CA())
        server.modify(_OUS)
        server.modify(ldif(DOMAIN))
        server.modify((_DATA / "groups-ad.ldif").read_text())
    shutil.rmtree(folder / "etc")


def _run(*command: str) -> None:
    done = subprocess.run(command, env=_ENV, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
