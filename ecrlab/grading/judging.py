"""The judges, on a copy of what was handed in: in the grader's process, where no notebook can replace them."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

import ecrlab
from ecrlab.errors import EcrLabError
from ecrlab.grading.hand_in import HandIn
from ecrlab.lessons.exercises import Exercise, NotYet
from ecrlab.registry.store import snapshots

JUDGED_SECONDS = 60
"""How long one judge may look; a real registry takes a second."""

State = Literal["solved", "missing", "unjudged", "absent"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an exercise stands, in the judge's words; `checks` is how often it was handed in."""

    exercise: str
    state: State
    words: str
    checks: int = 0


def none(exercises: Sequence[Exercise]) -> list[Verdict]:
    """Return the verdicts on a notebook that handed nothing in."""
    return verdicts(exercises, [], None)


def verdicts(exercises: Sequence[Exercise], handed: Sequence[HandIn], seed: str | None) -> list[Verdict]:
    """Judge all exercises. One hand-in that solves an exercise is enough; else the last one's words count."""
    found = []
    for exercise in exercises:
        its_own = [one for one in handed if one.exercise == exercise.id]
        verdict = Verdict(exercise.id, "absent", "the notebook never checked it")
        for one in reversed(its_own):
            latest = _judge(exercise, one, seed, len(its_own))
            if latest.state == "solved" or verdict.state == "absent":
                verdict = latest
            if latest.state == "solved":
                break
        found.append(verdict)
    return found


def _judge(exercise: Exercise, handed: HandIn, seed: str | None, checks: int) -> Verdict:
    try:
        with _time_limit(), ecrlab.start(at=handed.at, seed=seed) as lab:
            snapshots.load(lab._world, handed.folder)
            if handed.requests:
                lab._server.moto.make_again(handed.requests)
                snapshots.load(lab._world, handed.folder)  # some requests change the registry too
            if exercise.answer is not None:
                exercise.answer.accept(handed.answer)
            return Verdict(exercise.id, "solved", exercise.judge(lab._view(handed.answer)), checks)
    except NotYet as missing:
        return Verdict(exercise.id, "missing", str(missing), checks)
    except (EcrLabError, BotoCoreError, ClientError, TimeoutError) as error:
        return Verdict(exercise.id, "unjudged", str(error), checks)
    except Exception as error:  # a judge met a registry that no lab could have made
        return Verdict(exercise.id, "unjudged", f"{type(error).__name__}: {error}", checks)


@contextmanager
def _time_limit() -> Iterator[None]:
    """Raise `TimeoutError` in the main thread when the judge takes too long."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"the judge took more than {JUDGED_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(JUDGED_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
