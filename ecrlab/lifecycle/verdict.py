"""The verdict on one image: the action, the rule that takes it, and the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, overload

from ecrlab.lifecycle.image import Image
from ecrlab.lifecycle.policy import Action

if TYPE_CHECKING:
    from ecrlab.lifecycle.evaluation import Evaluation


class Reason(Enum):
    """Why a rule acts on an image, or none does."""

    MARKED = "the rule that decides about it marked it"
    WITHIN = "the rule that decides about it leaves it"
    UNSELECTED = "no rule selects it"
    LISTED = "an index lists it"
    FOLLOWS = "its subject goes"
    ATTACHED = "its subject stays"
    ARCHIVED = "its subject is archived, and it is already"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to one image. `action` and `rule_priority` are None for an image that stays."""

    image: Image
    action: Action | None
    rule_priority: int | None
    reason: Reason


class Verdicts(Sequence[Verdict]):
    """The verdicts on some images of an evaluation, each made on access."""

    def __init__(self, evaluation: "Evaluation", positions: Sequence[int]) -> None:
        self._evaluation = evaluation
        self._positions = positions

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, place: int) -> Verdict: ...
    @overload
    def __getitem__(self, place: slice) -> "Verdicts": ...
    def __getitem__(self, place: int | slice) -> "Verdict | Verdicts":
        if isinstance(place, slice):
            return Verdicts(self._evaluation, self._positions[place])
        return self._evaluation.verdict_at(self._positions[place])
