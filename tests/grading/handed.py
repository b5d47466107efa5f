"""Notebooks as students hand them in: the lesson with its exercises solved, half solved, or with cells of their own."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

import ecrlab
from ecrlab.commands.notebooks import CHECK
from ecrlab.lessons import exercises

NOTEBOOKS = Path(ecrlab.__file__).parents[1] / "notebooks"


def notebook(
    lesson: str,
    solved: Collection[str] | None = None,
    *,
    first: str = "",
    last: str = "",
    instead: Mapping[str, str] | None = None,
) -> str:
    """A lesson in which some exercises (default: all) are solved. `first` and `last` are cells around it; `instead`
    has other cells for exercises.
    """
    lesson_cells = nbformat.read(NOTEBOOKS / f"{lesson}.ipynb", as_version=4)
    for cell in lesson_cells.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    solve(lesson_cells, solved, instead)
    around = [[nbformat.v4.new_code_cell(source)] if source else [] for source in (first, last)]
    lesson_cells.cells = [*around[0], *lesson_cells.cells, *around[1]]
    return nbformat.writes(lesson_cells)


def solve(lesson, solved: Collection[str] | None = None, instead: Mapping[str, str] | None = None) -> None:
    """Put solutions before the checks of a notebook; checks in them are left to the notebook's."""
    cells = []
    for cell in lesson.cells:
        check = CHECK.fullmatch(cell.source)
        if check and (solved is None or check[1] in solved):
            source = (instead or {}).get(check[1], exercises.find(check[1]).solution.strip())
            source = re.sub(r"^lab\.check\(.*$", "", source, flags=re.MULTILINE).strip()
            cells.append(nbformat.v4.new_code_cell(source if is_python(source) else f"%%bash\n{source}"))
        cells.append(cell)
    lesson.cells = cells


def is_python(source: str) -> bool:
    try:
        compile(TransformerManager().transform_cell(source), "solution", "exec")
    except SyntaxError:
        return False
    return True


def exercises_in(lesson: str) -> list[str]:
    from ecrlab.lessons import catalogue

    module = catalogue.lesson(lesson)
    assert module is not None
    return [one.id for one in module.EXERCISES]
