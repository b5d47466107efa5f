"""Copies of the applications that the lessons build, for `lab.app`."""

import shutil
import stat
from pathlib import Path

from ecrlab.errors import EcrLabError
from ecrlab.machine import originals


def copy(name: str, into: Path, *, fresh: bool) -> Path:
    """Copy the application `name` below the folder `into`, and return the copy's folder.

    An existing copy stays as it is, unless `fresh`: then its files are the original ones again. The folder itself
    stays, because it may be the current one of a shell.

    Raises `EcrLabError` for an unknown application, and `OSError`.
    """
    source = _find(name)
    copied = into / name
    if copied.exists() and not fresh:
        return copied
    draft = into / f"{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(source, draft, ignore=originals.not_ours)
    _make_writable(draft)
    copied.mkdir(exist_ok=True)
    for old in copied.iterdir():
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    for new in draft.iterdir():
        new.rename(copied / new.name)
    draft.rmdir()
    return copied


def _find(name: str) -> Path:
    known = {app.name: app for app in sorted((originals.folder() / "apps").iterdir()) if app.is_dir()}
    if not isinstance(name, str) or name not in known:
        raise EcrLabError(f"there is no application {name!r}; there are {', '.join(known)}")
    return known[name]


def _make_writable(folder: Path) -> None:
    """Let the owner write the files, also where the originals are read-only."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
