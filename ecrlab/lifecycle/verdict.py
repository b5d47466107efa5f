"""The verdict on one image: what happens to it, by which rule, and why."""

from dataclasses import dataclass
from enum import Enum

from ecrlab.lifecycle.image import Image
from ecrlab.lifecycle.policy import Action


class Reason(Enum):
    """Why an image goes or stays."""

    MARKED = "the rule that decides about it marked it"
    WITHIN = "the rule that decides about it leaves it"
    UNSELECTED = "no rule selects it"
    LISTED = "an index lists it"
    FOLLOWS = "its subject goes"
    ATTACHED = "its subject stays"
    ARCHIVED = "its subject is archived, and it is already"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to one image. `rule_priority` is that of the rule that acts, None for an image that stays."""

    image: Image
    action: Action | None
    rule_priority: int | None
    reason: Reason
