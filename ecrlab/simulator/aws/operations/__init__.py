"""The operations of `ecr` and `ecr-public`, with one module for each noun."""

import importlib

MODULES = (
    "authorization",
    "repositories",
    "resource_tags",
    "images",
    "referrers",
    "layers",
    "policies",
    "pull_through_cache",
    "creation_templates",
    "lifecycle",
    "registry",
    "replication",
    "replication_backfill",
    "scanning",
    "public_repositories",
    "public_images",
    "public_catalog",
    "public_registry",
    "trail",
)


def load() -> None:
    """Fill the table of operations."""
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")
