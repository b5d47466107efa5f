"""When a policy would next do something if nobody changed anything: images come of age, one after the other.

Counts do not change by themselves, and a rule that does not decide about an image never acts on it; so only the age
rules that decide matter, and what is on its way back from the archive.
"""

from datetime import datetime, timedelta

from ecrlab.lifecycle.age_order import standing_since, unused_since
from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.image import ACTIVATING, Image
from ecrlab.lifecycle.policy import PULLED, Rule

_MOMENT = timedelta(microseconds=1)
"""How much older than its bound an image is when it is strictly older."""


def next_change(evaluation: Evaluation) -> datetime | None:
    """The first instant after an evaluation at which one more image would be marked, or None for never."""
    coming = []
    for position, image in enumerate(evaluation.images):
        rule = evaluation.deciding(position)
        if image.storage_class == ACTIVATING:
            coming.append(image.last_activated_at)
        elif rule and not rule.selection.counts:
            coming.append(_of_age(rule, image))
    return min((instant for instant in coming if instant is not None and instant > evaluation.now), default=None)


def _of_age(rule: Rule, image: Image) -> datetime | None:
    """The first instant at which an image is past the bound of a rule; None beyond the calendar."""
    since = unused_since(image) if rule.selection.count_type == PULLED else standing_since(image)
    try:
        return since + timedelta(days=rule.selection.count_number) + _MOMENT
    except OverflowError:
        return None
