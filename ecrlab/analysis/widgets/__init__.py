"""Widgets of notebooks: the policy editor, and the what-if panel."""
