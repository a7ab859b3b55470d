"""Real directories for the tests: OpenLDAP's slapd and Samba as an Active Directory."""
