"""The lessons and their applications as they come with the kit. Learners work in copies.

They are in `notebooks/` of a checkout, and in `ecrlab/course/` of an installed kit, where pyproject.toml puts them.
"""

import json
from pathlib import Path

from ecrlab.errors import EcrLabError
from ecrlab.machine.requirements import CHECKOUT

FIRST_LESSON = "00-start-here"

LEFT_BEHIND = {".ipynb_checkpoints", "__pycache__", ".DS_Store"}
"""What Jupyter, Python and macOS leave in a folder; copies do not have it."""

Files = dict[str, bytes]
"""A file, as `{".": its bytes}`, or a folder: the bytes of each file by its path in the folder."""


def folder() -> Path:
    """Return the folder of the lessons. Raises `EcrLabError` if the kit has none."""
    if is_checkout():
        return CHECKOUT / "notebooks"
    course = CHECKOUT / "ecrlab" / "course"
    if course.is_dir():
        return course
    raise EcrLabError(
        f"the lessons are not in {CHECKOUT / 'notebooks'}: use a copy of the whole project, or install it again"
    )


def is_checkout() -> bool:
    """Tell whether the kit is a copy of the whole project."""
    return (CHECKOUT / "notebooks" / f"{FIRST_LESSON}.ipynb").is_file()


def lesson(name: str) -> Path:
    """Return the notebook of a lesson, such as 00-start-here. Raises `EcrLabError` for an unknown one."""
    return _known("lesson", name.removesuffix(".ipynb"), lessons())


def lessons() -> list[Path]:
    """Return the notebooks, in order."""
    return sorted(folder().glob("*.ipynb"))


def app(name: str) -> Path:
    """Return the folder of an application, such as my-app. Raises `EcrLabError` for an unknown one."""
    return _known("application", name, apps())


def apps() -> list[Path]:
    """Return the folders of the applications."""
    return sorted(app for app in (folder() / "apps").iterdir() if app.is_dir() and app.name not in LEFT_BEHIND)


def _known(kind: str, name: str, paths: list[Path]) -> Path:
    for path in paths:
        if path.stem == name:
            return path
    raise EcrLabError(f"there is no {kind} {name!r}; there are {', '.join(path.stem for path in paths)}")


def read(path: Path) -> Files:
    """Read a file or a folder."""
    if not path.is_dir():
        return {".": path.read_bytes()}
    inside = {file.relative_to(path): file for file in sorted(path.rglob("*")) if file.is_file()}
    return {str(name): file.read_bytes() for name, file in inside.items() if LEFT_BEHIND.isdisjoint(name.parts)}


def read_fresh(original: Path) -> Files:
    """Read a lesson without its outputs, or an application."""
    files = read(original)
    return {".": cleared(files["."])} if original.suffix == ".ipynb" else files


def write(files: Files, path: Path) -> None:
    """Write files into a new file or folder."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def cleared(notebook: bytes) -> bytes:
    """Return a notebook without outputs and execution counts, formatted as Jupyter does."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
