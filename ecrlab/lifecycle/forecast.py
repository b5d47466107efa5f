"""The next instant at which a policy acts, if nobody pushes or pulls: images reach the bound of an age rule.

Counts change only with a push, and only the rule that decides about an image may act on it. So the forecast reads the
deciding age rules, and the images that ECR restores from the archive.
"""

from datetime import datetime, timedelta

from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.image import ACTIVATING, Image, aged_since, unused_since
from ecrlab.lifecycle.policy import PULLED, Rule

_MOMENT = timedelta(microseconds=1)
"""The least excess over a bound that makes an image strictly older."""


def next_change(evaluation: Evaluation) -> datetime | None:
    """Return the first instant after an evaluation at which a rule marks one more image; None for never."""
    coming = []
    for position, image in enumerate(evaluation.images):
        rule = evaluation.deciding(position)
        if image.storage_class == ACTIVATING:
            coming.append(image.last_activated_at)
        elif rule and not rule.selection.counts:
            coming.append(_of_age(rule, image))
    return min((instant for instant in coming if instant is not None and instant > evaluation.now), default=None)


def _of_age(rule: Rule, image: Image) -> datetime | None:
    """Return the first instant at which an image is past the bound of a rule; None beyond the calendar."""
    since = unused_since(image) if rule.selection.count_type == PULLED else aged_since(image)
    try:
        return since + timedelta(days=rule.selection.count_number) + _MOMENT
    except OverflowError:
        return None
