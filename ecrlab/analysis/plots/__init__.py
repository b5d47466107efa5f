"""Pictures, in one style, each with the same data as a table."""
