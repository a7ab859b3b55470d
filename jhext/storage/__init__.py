"""WHERE: the homes, claims and shared data of one person's server."""
