"""The storage of a registry: a SQLite database, and a file for each blob."""
