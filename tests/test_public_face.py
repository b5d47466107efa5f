"""What a person meets first: the names of the package, their docstrings, and the README."""

import inspect
import re
import subprocess
import sys

import pytest

import ecrlab
from ecrlab.commands import cli
from ecrlab.machine.bootstrap import CHECKOUT

README = (CHECKOUT / "README.md").read_text()


@pytest.mark.parametrize("name", ecrlab.__all__)
def test_every_public_name_says_what_it_is(name: str) -> None:
    public = getattr(ecrlab, name)
    said = inspect.getdoc(public) or ""
    assert said.split("\n")[0].rstrip().endswith((".", ":", ";")) or ". " in said, said


def test_what_a_lab_offers_says_what_it_does() -> None:
    silent = [name for name, member in vars(ecrlab.Lab).items() if name[0] != "_" and not inspect.getdoc(member)]
    assert silent == []


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'strat'"):
        _ = ecrlab.strat


def test_the_example_of_the_package_runs_as_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import doctest, ecrlab; print(doctest.testmod(ecrlab))"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    assert re.search(r"failed=0, attempted=[1-9]", done.stdout), done.stdout + done.stderr


def test_the_readme_names_only_commands_that_there_are() -> None:
    named = set(re.findall(r"python3 -m ecrlab ([a-z]+)", README))
    assert {"test", "serve", "doctor"} <= named <= set(cli.COMMANDS)


def test_the_readme_lists_every_lesson() -> None:
    lessons = sorted(path.name for path in (CHECKOUT / "notebooks").glob("[0-9]*.ipynb"))
    assert re.findall(r"\(notebooks/([^)]+\.ipynb)\)", README) == lessons


def test_links_in_the_pages_lead_somewhere() -> None:
    pages = [CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)\)", page.read_text())]
    lost = [link for page, link in links if "://" not in link and not (page.parent / link).exists()]
    assert lost in ([], ["docs/images/start-here.png"])
