"""Directories that speak LDAP: OpenLDAP and its kin, and Active Directory."""
