"""Judging images the slow and obvious way, to hold the fast way against: each sentence of AWS's rules is one loop."""

import re
from datetime import datetime, timedelta

from ecrlab.lifecycle import Image, Policy, Rule


def judge(policy: Policy, images: list[Image], now: datetime) -> dict[str, int | None]:
    """The priority of the rule that acts on each digest, or None."""
    verdicts: dict[str, int | None] = {}
    for image in images:
        verdicts[image.image_digest] = None
        for rule in policy.rules:
            if selects(rule, image):
                if marks(rule, image, images, now) and not held(rule, image, images):
                    verdicts[image.image_digest] = rule.rule_priority
                break
    for image in images:
        root = subject(image, images)
        if root is not None:
            verdicts[image.image_digest] = None
    for image in images:
        root = subject(image, images)
        if root is not None and verdicts[root.image_digest] is not None:
            rule = next(rule for rule in policy.rules if rule.rule_priority == verdicts[root.image_digest])
            there = rule.action.type == "transition" and image.storage_class != "standard"
            if not there and not held(rule, image, images):
                verdicts[image.image_digest] = rule.rule_priority
    return verdicts


def selects(rule: Rule, image: Image) -> bool:
    wanted = rule.selection
    if wanted.storage_class != image.storage_class:
        return False
    if wanted.tag_status == "untagged":
        return image.image_tags == ()
    if wanted.tag_status == "any":
        return True
    for pattern in wanted.tag_pattern_list:
        expression = ".*".join(re.escape(piece) for piece in pattern.split("*"))
        if not any(re.fullmatch(expression, tag) for tag in image.image_tags):
            return False
    return all(any(tag.startswith(prefix) for tag in image.image_tags) for prefix in wanted.tag_prefix_list)


def marks(rule: Rule, image: Image, images: list[Image], now: datetime) -> bool:
    number = rule.selection.count_number
    if rule.selection.count_type == "imageCountMoreThan":
        mine = (since(image), image.image_digest)
        newer = [other for other in images if selects(rule, other) and (since(other), other.image_digest) > mine]
        return len(newer) >= number
    if rule.selection.count_type == "sinceImagePulled":
        start = image.last_pulled_at or image.pushed_at
        if image.last_activated_at and image.last_activated_at > start:
            start = image.last_activated_at
        return now - start > timedelta(days=number)
    if rule.selection.count_type == "sinceImageTransitioned":
        return image.last_archived_at is not None and now - image.last_archived_at > timedelta(days=number)
    return now - since(image) > timedelta(days=number)


def since(image: Image) -> datetime:
    if image.storage_class == "archive":
        return image.last_archived_at or datetime.max.replace(tzinfo=image.pushed_at.tzinfo)
    return image.last_activated_at or image.pushed_at


def held(rule: Rule, image: Image, images: list[Image]) -> bool:
    indexes = [other for other in images if image.image_digest in other.children]
    if rule.action.type == "transition":
        indexes = [index for index in indexes if index.storage_class != "archive"]
    return bool(indexes)


def subject(image: Image, images: list[Image]) -> Image | None:
    """The image at the end of a chain of subjects, or None where there is none, or only a circle."""
    seen = [image]
    while True:
        above = [other for other in images if other.image_digest == seen[-1].subject_digest]
        if not above:
            return seen[-1] if len(seen) > 1 else None
        if above[0] in seen:
            return None
        seen.append(above[0])
