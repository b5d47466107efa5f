"""docs/errors.md, made from the explanations of `lab.why()`.

python -m tests.lessons.errors_page     writes it anew
"""

from collections.abc import Iterator

from ecrlab.lessons.explanations.entry import Explanation
from ecrlab.lessons.explanations.lookup import CHAPTERS
from ecrlab.machine.bootstrap import CHECKOUT

PAGE = CHECKOUT / "docs" / "errors.md"

_HEAD = """# Errors

What each error means, its usual causes, and the cure, in the lab and on AWS. In a notebook, `lab.why()` prints the one
for the error of the last cell, and `lab.why("…")` the one for a text. `…` stands for what varies.

This page is written by `python -m tests.lessons.errors_page` from `ecrlab/lessons/explanations/`.
"""


def render() -> str:
    """Return the page."""
    return "\n".join(_lines()).strip() + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    for chapter, entries in CHAPTERS.items():
        yield f"## {chapter}\n\n| error | what it means | usual causes | the cure here | the cure on AWS |"
        yield "|---|---|---|---|---|"
        for one in entries:
            yield _row(one)
        yield ""


def _row(one: Explanation) -> str:
    error = f"`{_in_one_line(one.example)}`"
    cells = [error, one.means, "; ".join(one.causes), one.here, one.on_aws]
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _in_one_line(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
