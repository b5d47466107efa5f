"""What a check hands in under the grader: the answer, the registry, Docker's logins, and the requests that moto got.

The grader names a folder in `ECRLAB_HAND_IN`. `lab.check` writes into it at that moment, so that later cells undo
nothing. Whoever writes the notebook can also write this folder, and so hand in the state of another lab: that takes a
registry in which the exercise is solved, for the same seed.

    0001/hand-in.json     exercise, answer, seed, time, Docker's configuration, requests to moto
        /registry.sqlite  the database
        /sha256:0a1b…     the blobs
    .states/0001/…        the registry at an earlier request, of a service that pulls images
"""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from numbers import Integral
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, Any

from ecrlab.errors import EcrLabError
from ecrlab.lessons import seeds
from ecrlab.registry.store.directory import DATABASE

if TYPE_CHECKING:
    from ecrlab.registry.world import World
    from ecrlab.simulator.dispatch import Moto

VARIABLE = "ECRLAB_HAND_IN"
DOCUMENT = "hand-in.json"
STATES = ".states"

MOST = 200
"""Hand-ins of one notebook; later ones are not written, and more are not read."""

LARGEST_DOCUMENT, LARGEST_DATABASE = 64 * 1024 * 1024, 256 * 1024 * 1024
"""Bytes that the grader reads of a document and of a database."""


class Unreadable(EcrLabError):
    """What was handed in is not what `lab.check` writes."""


@dataclass(frozen=True, slots=True)
class HandIn:
    """A check of an exercise, in `folder`: the answer, the seed and time of the lab, the text of Docker's
    configuration, and moto's requests until then.
    """

    folder: Path
    exercise: str
    answer: Any
    seed: str | None
    at: datetime
    docker: str
    requests: list[dict[str, str]]

    @property
    def states(self) -> Path:
        """The folder of the registry's earlier states."""
        return self.folder.parent / STATES

    @property
    def began(self) -> datetime:
        """The time of the first request, or of the check."""
        return min([self.at, *(datetime.fromisoformat(one["at"]) for one in self.requests[:1])])


def folder() -> Path | None:
    """Return the folder of the grader, or None without one."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def states() -> Path | None:
    """Return the folder for earlier states of the registry, or None without a grader."""
    into = folder()
    return None if into is None else into / STATES


def write(into: Path, exercise: str, answer: Any, seed: str | None, world: "World", moto: "Moto") -> None:
    """Hand in the state of a lab for an exercise."""
    from ecrlab.registry.store import snapshots

    number = sum(one.name.isdigit() for one in into.iterdir()) + 1
    if number > MOST:
        return
    draft = into / f".draft-{number:04}"
    draft.mkdir()
    snapshots.save(world, draft)
    document: dict[str, Any] = {
        "exercise": exercise,
        "answer": _plain(answer),
        "seed": seed,
        "at": world.clock.now().isoformat(),
    }
    document |= {"docker": _docker_configuration(), "requests": moto.requests()}
    (draft / DOCUMENT).write_text(json.dumps(document), encoding="utf-8")
    draft.rename(into / f"{number:04}")


def read_all(handed: Path) -> Iterator[HandIn]:
    """Read the hand-ins of a folder, oldest first. Raises `Unreadable`.

    One at a time, because each may be large.
    """
    if handed.is_symlink():
        raise Unreadable("the folder of hand-ins is a link")
    try:
        found = sorted(path for path in handed.iterdir() if path.name.isdigit() and stat.S_ISDIR(path.lstat().st_mode))
    except OSError as error:
        raise Unreadable(f"the folder of hand-ins cannot be read: {error.strerror}") from error
    yield from map(_read, found[:MOST])


def read_file(path: Path, most: int) -> bytes:
    """Read a file that a notebook wrote. Raises `Unreadable` for a link, a pipe, and more than `most` bytes."""
    try:
        _check_file(path, most)
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read: {error.strerror}") from error


def _check_file(path: Path, most: int) -> None:
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise Unreadable(f"{path.name} is no file")
    if about.st_size > most:
        raise Unreadable(f"{path.name} has more than {most} bytes")


def _read(path: Path) -> HandIn:
    try:
        _check_file(path / DATABASE, LARGEST_DATABASE)
        document = json.loads(read_file(path / DOCUMENT, LARGEST_DOCUMENT))
        requests = document["requests"]
        if not all(isinstance(value, str) for request in requests for value in request.values()):
            raise TypeError("a request is a dictionary of strings")
        for request in requests:
            datetime.fromisoformat(request["at"])
            if request["registry"]:
                state = path.parent / STATES / f"{int(request['registry']):04}"
                if state.is_symlink() or state.parent.is_symlink():
                    raise Unreadable("an earlier state is a link")
                _check_file(state / DATABASE, LARGEST_DATABASE)
        answer, seed = _answer(document["answer"]), seeds.read(document["seed"]).text
        at, docker = datetime.fromisoformat(document["at"]), str(document["docker"])
        return HandIn(path, str(document["exercise"]), answer, seed, at, docker, requests)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
        EcrLabError,
    ) as error:
        raise Unreadable(f"a hand-in cannot be read: {error}") from error


def _docker_configuration() -> str:
    """Return the text of the file in which Docker keeps its logins; nothing without one."""
    try:
        return (Path(os.environ["DOCKER_CONFIG"]) / "config.json").read_text(encoding="utf-8")
    except (KeyError, OSError, ValueError):
        return ""


def _plain(answer: Any) -> dict[str, Any]:
    """Return an answer as JSON; of a type that no exercise accepts only the name."""
    match answer:
        case None | bool() | str():
            return {"value": answer}
        case EllipsisType():  # the dots of a cell that nobody has filled in
            return {"value": None}
        case datetime():
            return {"datetime": answer.isoformat()}
        case timedelta():
            return {"seconds": answer.total_seconds()}
        case Integral():
            return {"value": int(answer)}
        case float():
            return {"float": str(answer)}
    return {"type": type(answer).__name__}


def _answer(plain: dict[str, Any]) -> Any:
    [(kind, value)] = plain.items()
    match kind:
        case "datetime":
            return datetime.fromisoformat(value)
        case "seconds":
            return timedelta(seconds=value)
        case "float":
            return float(value)
        case "type":
            return type(str(value), (), {})()
    if value is None or type(value) in (bool, int, str):
        return value
    raise ValueError("an answer is a string, a number or a time")
