"""WHO: a person on the file system, as the operator's sources have it."""
