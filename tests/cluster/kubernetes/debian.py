"""Debian 12's archive, where the test cluster's programs and images come from."""

import subprocess

SUITE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEFAULT_MIRROR = "http://deb.debian.org/debian"


def mirror() -> str:
    """Return the address that this machine's apt uses for Debian 12, or the usual one."""
    fields = {
        "Origin": "Debian",
        "Codename": SUITE,
        "Component": "main",
        "Created-By": "Packages",
    }
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
        + [f"{name}: {value}" for name, value in fields.items()],
        check=True,
        capture_output=True,
        text=True,
    )
    return next(iter(listed.stdout.split()), DEFAULT_MIRROR)
