"""Output that is safe for a terminal, also with text from images, registries and file names.

It prints control characters and lone surrogates as escapes, so a label cannot clear the screen, change the title of the
window or hide a line.
"""

import re
import sys

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    r"""Return a text with all control characters escaped, except tab and new line.

    >>> print(plain("\x1b[2Jgone"))
    \u001b[2Jgone
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str) -> None:
    """Print to standard output at once."""
    print(plain(text), flush=True)


def warn(text: str) -> None:
    """Print to standard error, after flushing standard output."""
    sys.stdout.flush()
    print(plain(text), file=sys.stderr, flush=True)
