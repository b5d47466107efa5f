"""The instructor's page agrees with the lessons: sections, minutes, plans, exercises, quoted texts and commands."""

import argparse
import functools
import importlib
import re
import shlex
from pathlib import Path

import nbformat
import pytest

import ecrlab
from ecrlab.commands import cli
from ecrlab.lessons import catalogue
from ecrlab.machine import originals

CHECKOUT = Path(ecrlab.__file__).parents[1]
PAGE = (CHECKOUT / "docs/instructor.md").read_text(encoding="utf-8")
GENERAL, LESSONS = PAGE.split("\n## The lessons\n")
PARTS = dict(
    re.findall(r"^### \[.+?\]\(\.\./notebooks/(.+?)\.ipynb\)(.+?)(?=^### |\Z)", LESSONS, re.MULTILINE | re.DOTALL)
)
COMMANDS = re.findall(r"((?:[A-Z_]+=\w+ )*python3 -m ecrlab\b[^`\n>]*)", PAGE)

each_lesson = pytest.mark.parametrize("lesson", catalogue.MODULES)


@functools.cache
def cells(lesson):
    return nbformat.read(originals.lesson(lesson), as_version=4).cells


def prose(lesson):
    return "\n\n".join(cell.source for cell in cells(lesson) if cell.cell_type == "markdown")


def stated(lesson):
    """The minutes that the lesson states."""
    return int(re.search(r"^\*\*Minutes:\*\* (\d+)$", prose(lesson), re.MULTILINE)[1])


def rows(text):
    """The rows of the tables in a text as lists of cells, without their heads."""
    tables = re.findall(r"^\|.+\|\n\|[-|]+\|\n((?:\|.+\|\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for table in tables for line in table.splitlines()]


@each_lesson
def test_it_names_every_section_of_a_lesson_and_minutes_that_add_up(lesson):
    text = re.sub(r"```.*?```", "", prose(lesson), flags=re.DOTALL)
    sections = re.findall(r"^## +(.+)$", text, re.MULTILINE)
    named, minutes, _ = zip(*rows(PARTS[lesson]), strict=True)

    assert sorted(named) == sorted(set(sections) - {"You can now"})
    assert named[-1] == "More"
    assert sum(map(int, minutes[:-1])) == stated(lesson)
    assert re.match(rf": {stated(lesson)} minutes\n", PARTS[lesson])


@each_lesson
def test_what_it_quotes_of_a_lesson_is_there(lesson):
    there = "\n".join(f"{cell.source}\n{cell.get('outputs')}" for cell in cells(lesson))
    quoted = re.findall(r"`[^`]+`|\"[^\"]+\"", PARTS[lesson])

    assert [text for text in quoted if " ".join(text[1:-1].split()) not in there] == []


@each_lesson
def test_it_says_what_goes_wrong_and_what_to_leave_out(lesson):
    assert "**People get wrong:**" in PARTS[lesson]
    assert "**Leave out first:**" in PARTS[lesson]
    for number in re.findall(r"[Ee]xercise (\d)", PARTS[lesson]):
        assert f"**{number}.**" in prose(lesson)


def test_it_has_no_lesson_that_is_not_there():
    assert list(PARTS) == list(catalogue.MODULES)


def test_the_plans_count_twice_the_minutes_of_their_lessons():
    numbers = {lesson[:2]: stated(lesson) for lesson in catalogue.MODULES}
    plans = GENERAL.split("\n## Plans\n")[1].split("\n## ")[0]

    assert len(rows(plans)) == 9
    for when, lessons, minutes in rows(plans):
        assert int(minutes) == 2 * sum(numbers[number] for number in lessons.split(", ")), when


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_are_the_programs(command):
    words = shlex.split(command)
    name, *rest = words[words.index("ecrlab") + 1 :]
    name, rest = ("lab", [name, *rest]) if name.startswith("-") else (name, rest)
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(cli.COMMANDS[name].module).configure(parser)

    parser.parse_args(rest)


def test_the_set_ups_complaints_are_quoted_word_for_word():
    table = GENERAL.split("\n## Before the class\n")[1].split("\n## ")[0]
    sources = "".join(
        path.read_text() for folder in ("machine", "commands") for path in (CHECKOUT / "ecrlab" / folder).glob("*.py")
    )
    quoted = [text for row in rows(table) for text in re.findall(r"\"([^\"]+)\"", row[0])]

    assert len(quoted) >= 5
    assert [text for text in quoted if text not in sources] == []
