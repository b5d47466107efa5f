"""The lessons that have exercises and cards, in their order."""

import importlib
from types import ModuleType

MODULES = {
    "00-start-here": "start_here",
    "01-authentication": "authentication",
    "02-push-and-pull": "push_and_pull",
    "03-tag-immutability": "tag_immutability",
    "04-image-scanning": "image_scanning",
    "05-lifecycle-policies": "lifecycle_policies",
    "06-age-and-savings": "age_and_savings",
    "07-replication": "replication",
    "08-cross-account-access": "cross_account_access",
    "09-encryption": "encryption",
    "10-ecr-public-and-caches": "ecr_public_and_caches",
    "11-who-pulls": "who_pulls",
}
"""Notebook -> the module in this folder that holds its EXERCISES and CARDS."""


def lessons() -> list[ModuleType]:
    """The modules, in the order of the notebooks."""
    return [importlib.import_module(f"ecrlab.lessons.{module}") for module in MODULES.values()]


def lesson(topic: str) -> ModuleType | None:
    """The module of a lesson, by notebook name (`01-authentication`) or topic (`authentication`)."""
    for notebook, module in MODULES.items():
        if topic in (notebook, notebook.partition("-")[2], module):
            return importlib.import_module(f"ecrlab.lessons.{module}")
    return None
