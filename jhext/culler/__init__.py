"""HOW LONG a server may run: rules, the verdict on each server, and the service that stops it."""
