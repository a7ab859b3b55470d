"""The test cluster's own certificate authority: every connection in it is verified."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its private key, as files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that lives as long as one test cluster."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ca = trustme.CA()
        self.certificate = directory / "ca.crt"
        self._ca.cert_pem.write_to_path(str(self.certificate))

    def issue(self, name: str, *addresses: str, organization: str | None = None) -> KeyPair:
        """Write `<name>.crt` and `<name>.key`, good for a server at `addresses` and for a client.

        Kubernetes reads a client's user name from the common name and its group from the
        organization.
        """
        leaf = self._ca.issue_cert(*addresses, common_name=name, organization_name=organization)
        pair = KeyPair(self._directory / f"{name}.crt", self._directory / f"{name}.key")
        leaf.cert_chain_pems[0].write_to_path(str(pair.certificate))
        pair.key.touch(mode=0o600)
        leaf.private_key_pem.write_to_path(str(pair.key))
        return pair
