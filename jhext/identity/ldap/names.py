"""Which value of an attribute is the name of an entry."""

from __future__ import annotations

from ldap3.core.exceptions import LDAPExceptionError
from ldap3.utils.dn import escape_rdn, parse_dn

from .entry import Entry


def own_name(entry: Entry, attribute: str) -> str | None:
    """Give the only value, or of several the one in the DN; None where neither is there.

    The values of an attribute have no order, so the first of them would be another one tomorrow.
    """
    values = entry.texts(attribute)
    if len(values) > 1:
        values = tuple(v for v in values if escape_rdn(v).lower() == _in_dn(entry.dn, attribute))
    return values[0] if len(values) == 1 else None


def _in_dn(dn: str, attribute: str) -> str | None:
    try:
        key, value, _ = parse_dn(dn)[0]
    except (LDAPExceptionError, IndexError):
        return None
    return str(value).lower() if key.lower() == attribute.lower() else None
