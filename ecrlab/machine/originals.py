"""The lessons and their applications as they come with the kit. Learners work in copies.

They are in `notebooks/` of a checkout. An installed kit has them where `[tool.setuptools.data-files]` of pyproject.toml
puts them; the installer's record of the package names the place.
"""

import shutil
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from ecrlab.errors import EcrLabError
from ecrlab.machine.bootstrap import CHECKOUT

FIRST_LESSON = "00-start-here"

not_ours: Callable[[str, list[str]], Iterable[str]] = shutil.ignore_patterns(
    ".ipynb_checkpoints", "__pycache__", ".DS_Store"
)
"""What Jupyter, Python and macOS leave in folders; copies of folders leave it out."""


def folder() -> Path:
    """Return the folder of the lessons. Raises `EcrLabError` if the kit has none."""
    in_checkout = CHECKOUT / "notebooks"
    if _has_lessons(in_checkout):
        return in_checkout
    try:
        record = metadata.files("ecrlab") or []
    except metadata.PackageNotFoundError:
        record = []
    for file in record:
        if file.name == f"{FIRST_LESSON}.ipynb" and _has_lessons(
            installed := Path(str(file.locate())).resolve().parent
        ):
            return installed
    raise EcrLabError(f"the lessons are not in {in_checkout}: use a copy of the whole project, or install it again")


def _has_lessons(folder: Path) -> bool:
    return (folder / f"{FIRST_LESSON}.ipynb").is_file()
