"""The report on a repository, as text, JSON and one page of HTML."""
