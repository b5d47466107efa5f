"""Copies of the applications that the lessons build, for `lab.app`."""

import shutil
from pathlib import Path

from ecrlab.machine import originals


def copy(name: str, into: Path, *, fresh: bool) -> Path:
    """Copy the application `name` below the folder `into`, and return the copy's folder.

    An existing copy stays as it is, unless `fresh`: then its files are the original ones again. The folder itself
    stays, because it may be the current one of a shell.

    Raises `EcrLabError` for an unknown application, and `OSError`.
    """
    source = originals.app(name)
    copied = into / name
    if copied.exists() and not fresh:
        return copied
    draft = into / f"{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    originals.write(originals.read(source), draft)
    copied.mkdir(exist_ok=True)
    for old in copied.iterdir():
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    for new in draft.iterdir():
        new.rename(copied / new.name)
    draft.rmdir()
    return copied
