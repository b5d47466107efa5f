"""Where a registry keeps what it knows: a SQLite database, and a file for each blob beside it."""
