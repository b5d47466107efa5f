"""Access control: the caller behind a key, its identity, and the policies that apply."""
