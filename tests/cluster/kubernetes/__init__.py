"""A real Kubernetes for the tests: built from Debian's packages, started and stopped by pid."""
