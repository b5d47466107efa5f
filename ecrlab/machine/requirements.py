"""The packages that the kit needs, by extra, and which of them are missing here.

A checkout lists them in pyproject.toml, an installed kit in its metadata. The extras: `aws` is the AWS CLI, `lab` the
lessons and the report, `teach` nbgrader, `test` the tests of a checkout. Standard library only, and `packaging` where
it is installed.
"""

import re
from pathlib import Path

from ecrlab.errors import EcrLabError

CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder that holds `ecrlab/`: a copy of the project, or where an installer put the package."""


def is_project(folder: Path = CHECKOUT) -> bool:
    """Tell whether a folder is a copy of the whole project."""
    return (folder / "pyproject.toml").exists()


def program(folder: Path = CHECKOUT) -> str:
    """Return what a person types before the name of a command."""
    return "python3 -m ecrlab" if is_project(folder) else "ecrlab"


def unmet_requirements(extra: str = "", checkout: Path = CHECKOUT) -> list[str]:
    """Return the requirements of the kit and of an extra that the running Python does not meet."""
    wanted = _of_project(extra, checkout) if is_project(checkout) else _of_installed_kit()
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return wanted  # `packaging` is a requirement itself
    asked = [one for one in map(Requirement, wanted) if one.marker is None or one.marker.evaluate({"extra": extra})]
    return [f"{one.name}{one.specifier}" for one in asked if not _met(one)]


def need(extra: str, whom: str) -> None:
    """Raise `EcrLabError` with the line that installs an extra, if a package of it is missing."""
    if missing := unmet_requirements(extra):
        raise EcrLabError(f"{whom} needs {', '.join(missing)}; to install it: {how_to_install(extra)}")


def how_to_install(extra: str = "") -> str:
    """Return the command that completes an installed kit.

    >>> how_to_install("lab")
    "pip install 'ecrlab[lab]'"
    """
    return f"pip install 'ecrlab[{extra}]'" if extra else "pip install ecrlab"


def _of_project(extra: str, checkout: Path) -> list[str]:
    import tomllib

    with (checkout / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    lines: list[str] = [*project["dependencies"], *([f"ecrlab[{extra}]"] if extra else [])]
    # An extra may name others: ecrlab[aws].
    while named := next((line for line in lines if line.startswith("ecrlab[")), None):
        lines.remove(named)
        lines += [line for one in re.findall(r"\w+", named)[1:] for line in project["optional-dependencies"][one]]
    return lines


def _of_installed_kit() -> list[str]:
    from importlib import metadata  # each start of a lab imports this module

    try:
        return metadata.requires("ecrlab") or []
    except metadata.PackageNotFoundError:
        return []  # a package without its installer's record: nothing is known


def _met(requirement) -> bool:  # type: ignore[no-untyped-def]  # `packaging` may not be importable here
    from importlib import metadata

    try:
        return bool(requirement.specifier.contains(metadata.version(requirement.name), prereleases=True))
    except metadata.PackageNotFoundError:
        return False
