"""What is said against the configuration of login: what has gone, is nobody's, or is not read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..profiles.finding import Finding
from ..yamlfile import read_document
from .configuration import Configuration
from .reach import unknown_groups

SECTION = "LDAPAuthenticator"

_OURS = re.compile(r"jhext(-|\.authenticators\.|\.[A-Z])")
"""Names of the authenticators, and the room that their classes are in."""

_NO_EFFECT = ("has had no effect since ldapauthenticator 2.0, which escapes all", "leave it out")
_IS_GONE = "is gone since ldapauthenticator 2.0"
_GONE = {
    ("use_ssl", True): (_IS_GONE, 'write tls_strategy = "on_connect"'),
    ("use_ssl", False): (
        _IS_GONE,
        "leave it out, and connections are encrypted with StartTLS; where that cannot be, "
        'write tls_strategy = "insecure"',
    ),
    ("escape_userdn", True): _NO_EFFECT,
    ("escape_userdn", False): _NO_EFFECT,
}


def retired_options(config: Mapping[str, Any], file: str) -> Iterator[Finding]:
    """Name the options of former versions, and what is written in their place today."""
    written = config.get(SECTION, {})
    for name in dict.fromkeys(name for name, _ in _GONE):
        if name in written:
            message, suggestion = _GONE[name, bool(written[name])]
            where = f"c.{SECTION}"
            yield Finding("warning", where, name, message, file, suggestion=suggestion)


def groups_of_nobody(configuration: Configuration) -> Iterator[Finding]:
    """Say so where rules are about groups, and login with jhext gives the hub none."""
    config, chosen = configuration.config, configuration.hub_trait("authenticator_class", "")
    if not _OURS.match(str(getattr(chosen, "__module__", chosen))) or configuration.groups:
        return
    sections = (config[name] for name in config if name.endswith("Authenticator"))
    if any(section.get("manage_groups") for section in sections):
        return
    profiles, mapped = configuration.version.catalog.profiles, configuration.mapped.values()
    in_files = any(rules.allowed_groups or rules.blocked_groups for rules in mapped)
    if in_files or any(unknown_groups(profiles, ())):
        message = "gives the hub no groups, and rules are about groups: they meet nobody"
        suggestion = "write c.Authenticator.manage_groups = True"
        file, where = str(configuration.path), "c.JupyterHub"
        yield Finding("warning", where, "authenticator_class", message, file, suggestion=suggestion)


def unread_claims(configuration: Configuration) -> Iterator[Finding]:
    """Say so where claims come from the sources of identities, and not from where one may think."""
    identity = configuration.settings.identity
    if identity and identity.mode == "user" and configuration.trait("claims_key"):
        message = "is not read: with the section identity, its sources give the claims"
        suggestion = "leave it out, and name the claims in `fields` of a source"
        keys = ("hub", "claims_key") if configuration.settings.hub.claims_key else ("identity",)
        file = configuration.settings.file_of(keys[0])
        line = read_document(Path(file)).line(keys) if file else 0
        yield Finding("warning", "", "hub.claims_key", message, file, line, suggestion=suggestion)
