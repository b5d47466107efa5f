"""Notebooks as students hand them in: the lesson with its exercises solved, half solved, or with cells of their own."""

import copy
from collections.abc import Collection, Mapping
from pathlib import Path

import nbformat

import ecrlab
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
    lessons = nbformat.read(NOTEBOOKS / f"{lesson}.ipynb", as_version=4)
    cells = []
    for cell in lessons.cells:
        cell = copy.deepcopy(cell)
        if cell.cell_type == "code":
            cell.outputs = []
        of = [one for one in exercises_in(lesson) if f'lab.check("{one}"' in cell.source]
        if cell.cell_type == "code" and of and (solved is None or of[0] in solved):
            source = (instead or {}).get(of[0], exercises.find(of[0]).solution.strip())
            cells.append(nbformat.v4.new_code_cell(source if is_python(source) else f"%%bash\n{source}"))
            if "lab.check(" in source:
                continue
        cells.append(cell)
    around = [[nbformat.v4.new_code_cell(source)] if source else [] for source in (first, last)]
    lessons.cells = [*around[0], *cells, *around[1]]
    return nbformat.writes(lessons)


def is_python(source: str) -> bool:
    try:
        compile(source, "solution", "exec")
    except SyntaxError:
        return False
    return True


def exercises_in(lesson: str) -> list[str]:
    from ecrlab.lessons import catalogue

    module = catalogue.lesson(lesson)
    assert module is not None
    return [one.id for one in module.EXERCISES]
