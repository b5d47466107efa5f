"""What a repository stores and costs, now and in a year, and what a policy would save."""
