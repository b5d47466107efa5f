"""All that is to be said of a repository, as text, JSON and one page of HTML."""
