"""What hubs that ask directories are configured with, and who can log in to them."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from tests.directories import samba, slapd
from tests.directories.people import DOMAIN, POSIX, DomainPerson, PosixPerson
from tests.hub.bench import Bench

PROFILES: list[dict[str, Any]] = [
    {"slug": "stub", "display_name": "Stub", "allow_all": True},
    {"slug": "gpu", "display_name": "GPU", "allowed_groups": ["gpu"]},
    {"slug": "campus", "display_name": "Campus", "allowed_groups": ["campus"]},
]


def account(person: PosixPerson | DomainPerson) -> Account:
    return Account(name=person.name, uid=person.uid or 30000, password=SecretStr(person.password))


POSIX_ACCOUNTS = [account(person) for person in POSIX]
DOMAIN_ACCOUNTS = [account(person) for person in DOMAIN]


def settings(source: dict[str, Any]) -> dict[str, Any]:
    """Give what ``jhext.yaml`` says where people are looked up in a directory."""
    return {"profiles": PROFILES, "identity": {"sources": [source], "ttl": 0}}


def posix_source(server: slapd.Slapd) -> dict[str, Any]:
    password = server.folder / "hub-password"
    password.write_text(slapd.HUB_PASSWORD)
    return {
        "type": "ldap",
        "servers": [server.tls_url],
        "ca_file": str(server.ca_file),
        "bind_dn": slapd.HUB,
        "bind_password": {"file": str(password)},
        "user_base": f"ou=people,{slapd.BASE}",
        "group_base": f"ou=groups,{slapd.BASE}",
    }


def domain_source(server: samba.Samba) -> dict[str, Any]:
    password = server.folder / "hub-password"
    password.write_text(samba.HUB_PASSWORD)
    return {
        "type": "active_directory",
        "servers": [server.tls_url],
        "ca_file": str(server.ca_file),
        "bind_dn": samba.HUB,
        "bind_password": {"file": str(password)},
        "user_base": f"OU=People,{samba.BASE}",
        "group_base": samba.BASE,
    }


def login(traits: dict[str, Any]) -> str:
    """Give the lines of ``jupyterhub_config.py`` that let people log in by LDAP."""
    lines = [
        "c.JupyterHub.authenticator_class = 'jhext.LDAPAuthenticator'",
        "c.CryptKeeper.keys = [b'k' * 32]",
    ]
    lines += [f"c.LDAPAuthenticator.{name} = {value!r}" for name, value in traits.items()]
    return "\n".join(lines)


def posix_login(server: slapd.Slapd, *addresses: str) -> dict[str, Any]:
    return {
        "server_address": list(addresses) or [server.url],
        "tls_kwargs": {"ca_certs_file": str(server.ca_file)},
        "lookup_dn": True,
        "lookup_dn_search_user": slapd.HUB,
        "lookup_dn_search_password": slapd.HUB_PASSWORD,
        "user_search_base": f"ou=people,{slapd.BASE}",
        "user_attribute": "uid",
        "allow_all": True,
        "manage_groups": True,
        "enable_auth_state": True,
    }


async def groups_in_the_hub(client: HubClient, name: str) -> set[str]:
    answer = await client.api("GET", f"/users/{name}")
    return set(answer.json()["groups"])


async def context_of_pod(
    bench: Bench, client: HubClient, name: str, profile: str
) -> dict[str, Any]:
    """Start a server, see under which ids its pod is, and stop it."""
    answer = await client.api("POST", f"/users/{name}/server", {"profile": profile})
    assert answer.status in (201, 202), answer
    await client.wait_for_server(name)
    (pod,) = await bench.pods(name)
    await client.stop_server(name)
    context: dict[str, Any] = pod["spec"]["securityContext"]
    return context
