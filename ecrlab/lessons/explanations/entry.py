"""One explanation of an error, and the page that shows it."""

import re
import textwrap
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """One error. `sign` is a regular expression for its text, ignoring case; `example` is such a text.

    A text that `follows` another error is explained only where no other error stands beside it: in
    `aws … | docker login …` the left command fails first, and docker's complaint follows.
    """

    id: str
    sign: str
    example: str
    means: str
    causes: tuple[str, ...]
    here: str
    on_aws: str
    follows: bool = False

    def fits(self, text: str) -> bool:
        """Whether a text is this error."""
        return re.search(self.sign, text, re.IGNORECASE) is not None

    def page(self, error: str) -> str:
        """Return the explanation as text, under the error that it explains."""
        lines = [quoted(error), "", "What it means", wrapped(self.means, "  "), "", "Usual causes"]
        lines += [wrapped(cause, "  - ", "    ") for cause in self.causes]
        lines += ["", "The cure here", wrapped(self.here, "  ")]
        lines += ["", "The cure on AWS", wrapped(self.on_aws, "  ")]
        return "\n".join(lines)


def quoted(error: str) -> str:
    """Return an error as the head of a page: its lines, each wrapped."""
    return "\n".join(wrapped(line, "  ") for line in error.splitlines() if line.strip())


def wrapped(text: str, first: str, rest: str | None = None) -> str:
    """Return a paragraph of at most 100 columns; `first` and `rest` indent its lines."""
    return textwrap.fill(
        " ".join(text.split()),
        100,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
