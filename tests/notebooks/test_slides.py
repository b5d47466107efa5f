"""What each cell of a lesson is as a slide: sections are slides, code appears after the question before it."""

import re

import nbformat
import pytest

from ecrlab.commands.notebooks import slide_type
from ecrlab.machine import originals

LESSONS = originals.lessons()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_section_begins_a_slide_and_code_waits_for_a_key(path):
    cells = nbformat.read(path, as_version=4).cells
    kinds = [cell.metadata["slideshow"]["slide_type"] for cell in cells]
    pairs = list(zip(cells, kinds, strict=True))

    headed = {kind for cell, kind in pairs if cell.cell_type == "markdown" and re.match(r"##? ", cell.source)}
    assert headed == {"slide"}
    assert {kind for cell, kind in pairs[:-1] if cell.cell_type == "code"} == {"fragment"}
    assert kinds[-1] == "skip"
    assert kinds == [slide_type(cell) for cell in cells], "run python3 -m ecrlab notebooks"


def test_a_heading_in_the_middle_of_a_text_begins_a_slide_and_a_comment_in_code_does_not():
    markdown = nbformat.v4.new_markdown_cell

    assert slide_type(markdown("So it was.\n\n## The next section")) == "slide"
    assert slide_type(markdown("Read:\n\n```\n# a comment\n```")) == "subslide"
