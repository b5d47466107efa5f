"""A lifecycle policy: rules in order of priority, each with a selection and an action.

    Policy ── Rule 1 ── Selection   which images, and how many or how old they may be
           │        └─ Action      expire, or transition to archive
           └─ Rule 2 …

The names are those of the policy's JSON (AWS user guide, lifecycle policy properties).
`ecrlab.lifecycle.parse` reads a policy from text and rejects what AWS rejects.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ecrlab.lifecycle.patterns import TagPattern

STANDARD, ARCHIVE = "standard", "archive"
TAGGED, UNTAGGED, ANY = "tagged", "untagged", "any"
EXPIRE, TRANSITION = "expire", "transition"
COUNT, PUSHED = "imageCountMoreThan", "sinceImagePushed"
PULLED, TRANSITIONED = "sinceImagePulled", "sinceImageTransitioned"


@dataclass(frozen=True, slots=True)
class Action:
    """The action of a rule on an image that it marks: `expire`, or `transition` to a target storage class."""

    type: str = EXPIRE
    target_storage_class: str | None = None


@dataclass(frozen=True)
class Selection:
    """The images that a rule selects, and the bound that they must not exceed.

    `count_number` is a number of images for imageCountMoreThan, and of days for all other count types.
    """

    tag_status: str
    count_type: str
    count_number: int
    tag_pattern_list: tuple[str, ...] = ()
    tag_prefix_list: tuple[str, ...] = ()
    storage_class: str = STANDARD

    @cached_property
    def patterns(self) -> tuple[TagPattern, ...]:
        """Return both lists as patterns; an image needs a tag for every one of them."""
        return (
            *map(TagPattern.from_pattern, self.tag_pattern_list),
            *map(TagPattern.from_prefix, self.tag_prefix_list),
        )

    @property
    def counts(self) -> bool:
        """Whether the bound is a number of images, not an age."""
        return self.count_type == COUNT


@dataclass(frozen=True)
class Rule:
    """One rule; ECR applies the rule with the lowest priority number first."""

    rule_priority: int
    selection: Selection
    action: Action = Action()
    description: str = ""

    @property
    def name(self) -> str:
        """Return the name of the rule for people: `rule 1`."""
        return f"rule {self.rule_priority}"

    @cached_property
    def in_words(self) -> str:
        """Return the rule in a few words: `tagged prod*: keep the newest 10`."""
        selection, number = self.selection, self.selection.count_number
        wanted = " and ".join(map(str, selection.patterns))
        images = {TAGGED: f"tagged {wanted}", UNTAGGED: "untagged", ANY: "any image"}[selection.tag_status]
        days = f"{number} {'day' if number == 1 else 'days'}"
        bound = {
            COUNT: f"keep the newest {number}",
            PUSHED: f"pushed more than {days} ago",
            PULLED: f"not pulled for more than {days}",
            TRANSITIONED: f"archived more than {days} ago",
        }[selection.count_type]
        return f"{images}: {bound}" + (", then archive" if self.action.type == TRANSITION else "")


@dataclass(frozen=True)
class Policy:
    """Valid rules, sorted by priority, and their original text."""

    rules: tuple[Rule, ...]
    text: str = ""

    def __iter__(self) -> Iterator[Rule]:
        """Return the rules in the order in which ECR applies them."""
        return iter(self.rules)

    def minified(self) -> str:
        """Return the policy's text as PutLifecyclePolicy returns it: no white space, rules ordered by priority."""
        document: dict[str, Any] = json.loads(self.text)
        document["rules"].sort(key=lambda rule: rule["rulePriority"])
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
