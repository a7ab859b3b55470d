"""Log in with the passwords of a file: a stand-in for the directory that a real hub asks."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode

from .accounts import Account, load


class DemoAuthenticator(Authenticator):  # type: ignore[misc]  # JupyterHub has no types
    """Knows the people of one file, with their groups and claims; reads it anew each time."""

    accounts_file = Unicode(
        help="The file that jhext.demo.accounts.dump has made the text of."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.manage_groups = True
        self.allow_all = True  # whoever is in the file

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """Return who this is, or None when the name or the password is wrong."""
        account = self._find(data["username"])
        known = account.password.get_secret_value() if account else ""
        right = hmac.compare_digest(known.encode(), data["password"].encode())
        return self._model(account) if account and right else None

    async def refresh_user(self, user: Any, handler: Any = None) -> bool | dict[str, Any]:
        """Return what the file says now, or False when the account is no longer in it."""
        account = self._find(user.name)
        return self._model(account) if account else False

    def _find(self, name: str) -> Account | None:
        return load(Path(self.accounts_file)).get(name)

    def _model(self, account: Account) -> dict[str, Any]:
        return {
            "name": account.name,
            "admin": account.admin,
            "groups": list(account.groups),
            "auth_state": {"jhext": {"claims": account.claims}},
        }
