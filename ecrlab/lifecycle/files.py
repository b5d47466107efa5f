"""The files that a command line names, and what is said of those that cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecrlab.errors import EcrLabError
from ecrlab.lifecycle.errors import InvalidLifecyclePolicy, LifecycleError


class Unusable(EcrLabError):
    """The command line, or a file that it names, cannot be used."""


def text_of(path: Path) -> str:
    """The text in a file. Raises `Unusable`."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unusable(f"{path}: byte {error.start}: not text in UTF-8") from error


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it."""
    try:
        yield
    except InvalidLifecyclePolicy as error:
        place = f"{error.place}: " if error.place else ""
        raise Unusable(f"{path}: {place}{error.message}") from error
    except LifecycleError as error:
        raise Unusable(f"{path}: {error}") from error
