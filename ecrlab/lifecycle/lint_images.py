"""Mistakes in a policy that only its images reveal: what it is about to take."""

import re
from collections.abc import Callable, Iterator

from ecrlab.lifecycle.coverage import is_shield, rule_for_all, selects_all_of
from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.finding import ERROR, LATEST, WARNING, Finding, is_for_latest_alone, shield_latest
from ecrlab.lifecycle.policy import TAGGED, Rule

_RELEASE = re.compile(r"v?\d+\.\d+|(release|prod|production|stable)\b")


def tags_of_two_rules(evaluation: Evaluation) -> Iterator[Finding]:
    """Images that two tagged rules select, although only the rule with the lower number decides."""
    examples: dict[tuple[Rule, Rule], list[int]] = {}
    for position, image in enumerate(evaluation.images):
        if len(image.image_tags) > 1:
            tagged = [r for r in evaluation.selecting(position) if r.selection.tag_status == TAGGED]
            if len(tagged) > 1 and not is_shield(tagged[0]) and not selects_all_of(tagged[1], tagged[0]):
                examples.setdefault((tagged[0], tagged[1]), []).append(position)
    for (first, second), positions in examples.items():
        takes, keeps = (
            any(evaluation.marks(one, p) and not evaluation.marks(other, p) for p in positions)
            for one, other in ((first, second), (second, first))
        )
        # The other order must be better; otherwise this check would also object to its own cure.
        if not keeps and (takes or _is_stricter(first, second)):
            tags = ", ".join(evaluation.images[positions[0]].image_tags[:4])
            yield Finding(
                "tags-of-two-rules",
                WARNING,
                first.rule_priority,
                f"decides alone about {len(positions)} image{'' if len(positions) == 1 else 's'} that"
                f" {second.name} is for as well, for example the one tagged {tags}; when it expires one, all its tags"
                " go",
                f"give {second.name} the lower number if its bound should hold for them",
            )


def _is_stricter(rule: Rule, other: Rule) -> bool:
    """Whether a rule keeps fewer images than another of its count type."""
    one, two = rule.selection, other.selection
    return one.count_type == two.count_type and one.count_number < two.count_number


def selects_nothing(evaluation: Evaluation) -> Iterator[Finding]:
    """A rule that no image's tags satisfy."""
    seen = dict.fromkeys(tag for image in evaluation.images for tag in image.image_tags)
    tags_of = [image.image_tags for image in evaluation.images if image.image_tags]
    for rule in evaluation.policy if evaluation.images else ():
        patterns = rule.selection.patterns
        # A rule that shields `latest` is a precaution; the tag may come later.
        if not patterns or is_for_latest_alone(rule):
            continue
        if not any(all(any(p.matches(tag) for tag in tags) for p in patterns) for tags in tags_of):
            wanted = " and one that ".join(
                f"begins with {p.pieces[0]}" if p.is_prefix else f"fits {p}" for p in patterns
            )
            present = f"tags here are such as {', '.join(list(seen)[:3])}" if seen else "no image here has a tag"
            yield Finding(
                "selects-nothing",
                WARNING,
                rule.rule_priority,
                f"selects no image: none of the {len(evaluation.images)} given has a tag that {wanted}",
                f"correct its list, capital letters too ({present}), or drop the rule",
            )


def latest_goes(evaluation: Evaluation) -> Iterator[Finding]:
    """A rule takes the image tagged `latest` now."""
    for position, image in enumerate(evaluation.images):
        if LATEST in image.image_tags and (rule := evaluation.acts(position)):
            yield Finding(
                "latest-goes",
                ERROR,
                rule.rule_priority,
                f"takes the image tagged {LATEST} now ({image.image_digest})",
                shield_latest(evaluation.policy, rule),
            )


def releases_go(evaluation: Evaluation) -> Iterator[Finding]:
    """The rule for `any` takes images with release tags now."""
    last = rule_for_all(evaluation.policy)
    going = [
        tag
        for position, image in enumerate(evaluation.images)
        if image.image_tags and last and evaluation.acts(position) is last
        for tag in [next(filter(_RELEASE.match, image.image_tags), None)]
        if tag
    ]
    if going and last:
        yield Finding(
            "releases-go",
            ERROR,
            last.rule_priority,
            f"takes {len(going)} images with release tags now, for example {', '.join(going[:3])}",
            f"put a rule for your release tags before the others but that for {LATEST}",
        )


OF_IMAGES: tuple[Callable[[Evaluation], Iterator[Finding]], ...] = (
    tags_of_two_rules,
    selects_nothing,
    latest_goes,
    releases_go,
)
