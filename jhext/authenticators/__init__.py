"""Authenticators: who logs in, with the groups and the identity that the rest of jhext needs."""
