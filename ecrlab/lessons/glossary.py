"""The terms of the lessons in `glossary.tsv`, each in one sentence: for `lab.define` and `docs/glossary.md`.

`python -m ecrlab.lessons.glossary > docs/glossary.md` writes the page.
"""

import difflib
import re
from pathlib import Path
from typing import NamedTuple

from ecrlab.errors import EcrLabError


class Term(NamedTuple):
    """A term: its meaning in one sentence, and the notebook that uses it first."""

    meaning: str
    lesson: str


DATA = Path(__file__).with_suffix(".tsv")
TERMS = {
    name: Term(meaning, lesson)
    for name, lesson, meaning in (line.split("\t") for line in DATA.read_text(encoding="utf-8").splitlines())
}
"""Term -> meaning and first lesson, in the order of the lessons."""


class UnknownTerm(EcrLabError):
    """A term that the glossary lacks; the text names similar ones."""


def define(term: str) -> str:
    """Return a term's meaning in one sentence. Raises `UnknownTerm`.

    >>> define("Digests")
    "A digest is the `sha256` of an object's bytes, so it names these bytes and nothing else."
    """
    known = {name.lower().replace("-", " "): entry for name, entry in TERMS.items()}
    asked = str(term).strip().lower().replace("-", " ")
    for spelling in (asked, asked.removesuffix("s"), asked.removesuffix("es"), f"{asked.removesuffix('ies')}y"):
        if spelling in known:
            return known[spelling].meaning
    near = difflib.get_close_matches(asked, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "docs/glossary.md lists all terms"
    raise UnknownTerm(f"the glossary has no {str(term)[:60]!r}; {hint}")


def anchor(term: str) -> str:
    """Return the part of a link behind `#` for a term's heading.

    >>> anchor("immutable tag")
    'immutable-tag'
    """
    return re.sub(r"[^a-z0-9]+", "-", term.lower())


def page() -> str:
    """Return `docs/glossary.md`."""
    lines = ["# Glossary", "", 'Each term in one sentence; `lab.define("digest")` prints it in a notebook.', ""]
    for name in sorted(TERMS, key=str.lower):
        entry = TERMS[name]
        lines += [f"## {name}", "", f"{entry.meaning} ([{entry.lesson}](../notebooks/{entry.lesson}.ipynb))", ""]
    return "\n".join(lines[:-1]) + "\n"


if __name__ == "__main__":
    print(page(), end="")
