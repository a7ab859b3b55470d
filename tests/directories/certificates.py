"""What a server proves its name with: good, and no longer good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme


def write(authority: trustme.CA, folder: Path, *names: str, expired: bool = False) -> None:
    """Write ``ca.pem``, ``server.pem`` and ``server.key`` for a server of these names."""
    until = datetime.now(UTC) - timedelta(days=1) if expired else None
    issued = authority.issue_cert(*names, not_after=until)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "server.pem")
    key = folder / "server.key"
    key.touch(mode=0o600)
    issued.private_key_pem.write_to_path(key)
