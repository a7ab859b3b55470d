"""What the installed releases of others are too old for."""

from __future__ import annotations

import pytest
from oauthenticator.cilogon import CILogonOAuthenticator

CILOGON_HAS_IDPS = hasattr(CILogonOAuthenticator, "idps")
"""Whether ``idps`` has this name, which oauthenticator 17.4 gave it; before, ``allowed_idps``."""


def skip_example_for_newer_ones(name: str) -> None:
    """Skip a test of an example whose settings the installed releases do not know."""
    if name == "cilogon" and not CILOGON_HAS_IDPS:
        pytest.skip("not on oauthenticator before 17.4: idps of CILogon has another name there")
