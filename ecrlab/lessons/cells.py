"""The errors of the cells of a notebook, for `lab.why()`.

    a cell ──► the exception that ended it
           ──► what it printed: all of stderr, and from stdout the lines that are errors
           ──► the records of the simulator and of docker, for what was hidden or caught

Of several errors in one cell the exception is the one; without it the last that was printed. An exception that only
says that a command failed, and a text that follows another error, are the one where nothing else stands beside them:
in `aws … | docker login …` the left command's error is explained.
"""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ecrlab.errors import EcrLabError
from ecrlab.lessons.explanations.lookup import explain, find

LONGEST = 200_000
"""Characters of a cell's output that are searched, from its end."""

MISSED = (
    'The last cell shows no error, only a check: the exercise is not solved yet. The line "✗ Not yet" names what is '
    'missing, and lab.hint("…") prints a hint.'
)
"""The page about a cell whose check was not reached."""

_ON_STDOUT = re.compile(
    r"An error occurred \(|Error response from daemon: |denied: |no basic auth credentials|UNSUPPORTED_IMAGE"
    r"|(?i:exec format error)"
    r"|ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|CrashLoopBackOff|Failed to pull image"
    r"|Waiting for deployment"
    # aws, in a line that begins with `!`: the terminal has no stderr.
    r"|(?:Missing required|Unknown) parameter in |Invalid (?:type|length|range) for parameter "
    r"|Unknown options: |arguments are required|Invalid choice|Error parsing parameter "
)
_LIKE_AN_ERROR = re.compile(r"\b(error|denied|failed|cannot|can't|not found|invalid)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """An error, and how many cells ago it was: 0 for the last one."""

    text: str
    cells_ago: int


class Refusing(Protocol):
    """The simulator: its last error and the time of it."""

    last_refusal: tuple[float, str] | None


class Cells:
    """Watches the cells of this process's IPython, and remembers the newest error; outside of IPython, the records.

    The records are the last error of the simulator and the file in which docker writes its last one.
    """

    def __init__(self, simulator: Refusing, docker: Path) -> None:
        self._simulator, self._docker = simulator, docker
        self._known = set(self._records())
        self._found: Found | None = None
        self._missed = False
        self._asked = False
        self._printed: dict[str, _Ear] = {}
        interactive = sys.modules.get("IPython")
        self._shell = interactive.get_ipython() if interactive else None
        if self._shell is not None:
            self._shell.events.register("pre_run_cell", self._begin)
            self._shell.events.register("post_run_cell", self._end)
            self._listen()

    def close(self) -> None:
        """Watch no longer."""
        if self._shell is not None:
            self._shell.events.unregister("pre_run_cell", self._begin)
            self._shell.events.unregister("post_run_cell", self._end)
            self._shell = None
        self._leave()

    @contextlib.contextmanager
    def unnoticed(self) -> Iterator[None]:
        """Leave out what the simulator refuses to the kit itself while it looks around."""
        before = self._simulator.last_refusal
        try:
            yield
        finally:
            self._simulator.last_refusal = before

    def page(self, error: object = None) -> str:
        """Return the page about an error, or about the newest one, of the running cell or of one before it.

        The cell that asks does not count as one.
        """
        if error:
            return explain(described(error))
        here = self._collect(None)
        if here is not None:
            self._found = Found(here, 0)
        missed = here is None and (self._missed or self._misses())
        self._asked = True
        self._leave()
        if missed:
            return MISSED
        if self._found is None:
            return 'No error yet in this lab. Provoke one, or give its text: lab.why("…")'
        page, ago = explain(self._found.text), self._found.cells_ago
        older = f"The last cell shows no error. This one is older, from {ago + 1} cells ago:\n\n"
        return older + page if ago else page

    def _begin(self, _: Any) -> None:
        self._listen()

    def _end(self, result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        text = self._collect(error)
        misses = text is None and self._misses()
        self._leave()
        asked, self._asked = self._asked, False
        if not asked:
            self._missed = misses
        if text is not None:
            self._found = Found(text, 0)
        elif self._found is not None and not asked:
            self._found = Found(self._found.text, self._found.cells_ago + 1)

    def _collect(self, error: BaseException | None) -> str | None:
        """Return the error of the running cell up to now."""
        new = [record for record in self._records() if record not in self._known]
        self._known.update(new)
        printed = {name: ear.lines() for name, ear in self._printed.items()}
        said = [line for line in printed.get("stdout", []) if _ON_STDOUT.search(line)] + printed.get("stderr", [])
        return choose(error, [text for _, text in new] + said)

    def _misses(self) -> bool:
        """Whether the running cell printed that an exercise is not solved yet."""
        out = self._printed.get("stdout")
        return out is not None and any(line.startswith("✗ Not yet: ") for line in out.lines())

    def _records(self) -> list[tuple[float, str]]:
        seen = [self._simulator.last_refusal] if self._simulator.last_refusal else []
        with contextlib.suppress(FileNotFoundError):
            seen.append((self._docker.stat().st_mtime, self._docker.read_text(encoding="utf-8")))
        return sorted(seen)

    def _listen(self) -> None:
        self._leave()
        for name in ("stdout", "stderr"):
            self._printed[name] = ear = _Ear(getattr(sys, name))
            setattr(sys, name, ear)

    def _leave(self) -> None:
        for name, ear in self._printed.items():
            if getattr(sys, name) is ear:
                setattr(sys, name, ear.stream)
        self._printed = {}


def choose(error: BaseException | None, printed: Iterable[str]) -> str | None:
    """Return the one of a cell's errors that is to be explained, or None if there is none."""
    texts = [text for text in printed if text.strip()]
    if error is not None and not isinstance(error, subprocess.CalledProcessError):
        return described(error)
    known = [(text, found) for text in texts if (found := find(text))]
    first = [text for text, found in known if not found.follows]
    suspicious = [text for text in texts if _LIKE_AN_ERROR.search(text) and find(text) is None]
    after = [text for text, _ in known]
    for group in (first, suspicious if error is not None else [], after):
        if group:
            return group[-1]
    if error is not None:
        return described(error)
    return suspicious[-1] if suspicious else None


def described(error: object) -> str:
    """Return an exception as Python prints it; an error of AWS begins with its own text."""
    text = str(error)
    if not isinstance(error, BaseException) or text.startswith("An error occurred ("):
        return text
    if isinstance(error, subprocess.CalledProcessError):
        return f"The cell of shell returned non-zero exit status {error.returncode}."
    kind = "EcrLabError" if isinstance(error, EcrLabError) else type(error).__name__
    return f"{kind}: {text}" if text else kind


class _Ear:
    """A text stream that passes all on and keeps what was written."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._heard = ""

    def write(self, text: str) -> Any:
        self._heard = (self._heard + text)[-LONGEST:]
        return self.stream.write(text)

    def lines(self) -> list[str]:
        return self._heard.splitlines()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
