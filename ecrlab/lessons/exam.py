"""Exams: with ECRLAB_EXAM=1, a check says only whether an exercise is solved, and nothing helps or explains.

The variable is the learner's own, so it binds only those who cannot change it: see docs/instructor.md.
"""

import os

VARIABLE = "ECRLAB_EXAM"
STRICT = "ECRLAB_STRICT"
"""With 1, `lab.check` raises `NotYet` for an unsolved exercise, so that graders such as nbgrader see it."""

NO_HELP = "This is an exam: hints, solutions, model answers and explanations are off."


def is_on() -> bool:
    """Tell whether this is an exam."""
    return os.environ.get(VARIABLE) == "1"


def is_strict() -> bool:
    """Tell whether an unsolved exercise raises an error."""
    return os.environ.get(STRICT) == "1"
