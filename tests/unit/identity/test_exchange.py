"""Allocated ids as other systems write them."""

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.identity.allocate import Allocated, Kind
from jhext.identity.exchange import Form, read, write
from jhext.identity.ldif import attribute, entries

ANN = Allocated(Kind.USER, 5001, "name:ann", "ann")
LAB = Allocated(Kind.GROUP, 7001, "name:lab", "lab")

OF_A_DIRECTORY = """\
version: 1
# what slapcat writes
# is folded,
  as here

dn: dc=example,dc=org
objectClass: domain
dc: example

dn: uid=ann,ou=people,dc=exam
 ple,dc=org
ObjectClass: inetOrgPerson
objectClass: posixAccount
UID: ann
cn:: w4RubmUg
uidNumber: 5001
gidNumber: 100
userPassword:: e1NTSEF9c2VjcmV0

dn: cn=lab,ou=groups,dc=example,dc=org
objectClass: posixGroup
cn:: bGFi
gidNumber:  7001
memberUid: ann
"""


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_entries_of_a_directory(line: str) -> None:
    assert read(OF_A_DIRECTORY.replace("\n", line), Form.LDIF) == [ANN, LAB]


PERSON = "dn: uid=ann\nobjectClass: posixAccount\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{PERSON}uid: ann\n", "line 1: posixaccount has not one uid and one uidNumber"),
        (f"\n\n{PERSON}uid: ann\nuid: bob\nuidNumber: 1001\n", "line 3: .* not one uid"),
        (f"{PERSON}uid: ann\nuidNumber: 1001\nuidNumber: 1002\n", "not one uid"),
        (f"{PERSON}uid: ann\nuidNumber: 0x3e9\n", "line 1: .* not a whole decimal number"),
        (f"{PERSON}uid: root\nuidNumber: 1001\n", "'root' is reserved"),
        (f"{PERSON}uid: a:b\nuidNumber: 1001\n", "line 1"),
        (f"{PERSON}uid:: !!!!\n", "line 3: uid is no text in base64"),
        (f"{PERSON}uid:: /w==\n", "line 3: uid is no text in base64"),
        (f"{PERSON}uid:< file:///etc/passwd\n", "line 3: the values of addresses"),
        ("dn: uid=ann\nchangetype: delete\n", "line 2: changes of entries"),
        ("uid: ann\n", "line 1: an entry begins with its dn"),
        ("dn: uid=ann\nnonsense\n", "line 2: is no attribute"),
        ("dn: uid=ann\n\n folded\n", "line 3: there is nothing that it continues"),
        (" folded\n", "line 1: there is nothing that it continues"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(text, Form.LDIF)


@given(st.text())
def test_any_text_is_read_as_it_was_written(value: str) -> None:
    ((line, entry),) = entries(f"dn: cn=any\n{attribute('cn', value)}\n")
    assert (line, entry) == (1, {"dn": ["cn=any"], "cn": [value]})


@given(st.text(alphabet="dn:uidNumber posixAccount<#=\n1 ", max_size=80))
def test_any_file_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        read(text, Form.LDIF)


def test_what_is_written_is_ldif_for_openldap(tmp_path: Path) -> None:
    schemas = Path("/etc/ldap/schema")
    if not (schemas / "nis.schema").exists():
        pytest.skip("needs OpenLDAP's slapadd: apt-get install slapd")
    (tmp_path / "db").mkdir()
    conf = tmp_path / "slapd.conf"
    included = "".join(f"include {schemas}/{name}.schema\n" for name in ("core", "cosine", "nis"))
    conf.write_text(
        f"{included}modulepath /usr/lib/ldap\nmoduleload back_mdb\n"
        f'database mdb\nsuffix "o=lab"\ndirectory {tmp_path}/db\n'
    )
    above = "dn: o=lab\nobjectClass: organization\no: lab\n\n"
    above += "".join(
        f"dn: ou={name},o=lab\nobjectClass: organizationalUnit\nou: {name}\n\n"
        for name in ("people", "groups")
    )
    written = "\n".join(write([ANN, LAB], Form.LDIF, "o=lab"))
    ldif = tmp_path / "ids.ldif"
    ldif.write_text(above + written)
    there = ""
    for command in (["slapadd", "-l", str(ldif)], ["slapcat"]):
        there = subprocess.run(
            [f"/usr/sbin/{command[0]}", "-f", str(conf), *command[1:]],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    assert read(there, Form.LDIF) == [ANN, LAB]
