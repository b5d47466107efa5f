"""What is wrong with a policy in view of the images it is to judge: what it is about to take."""

import re
from collections.abc import Callable, Iterator

from ecrlab.lifecycle.coverage import rule_for_all, selects_all_of
from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.finding import ERROR, LATEST, WARNING, Finding
from ecrlab.lifecycle.policy import TAGGED

_RELEASE = re.compile(r"v?\d+\.\d+|(release|prod|production|stable)\b")


def tags_of_two_rules(evaluation: Evaluation) -> Iterator[Finding]:
    """Images with tags of two families, of which the lower number decides about all."""
    found: dict[tuple[int, int], list[str]] = {}
    for position, image in enumerate(evaluation.images):
        if len(image.image_tags) > 1:
            tagged = [r for r in evaluation.selecting(position) if r.selection.tag_status == TAGGED]
            if len(tagged) > 1 and not selects_all_of(tagged[1], tagged[0]):
                pair = tagged[0].rule_priority, tagged[1].rule_priority
                found.setdefault(pair, []).append(", ".join(image.image_tags[:4]))
    for (first, second), examples in found.items():
        yield Finding(
            "tags-of-two-rules",
            WARNING,
            first,
            f"decides alone about {len(examples)} images that rule {second} is for as well, for example the one tagged"
            f" {examples[0]}; when it expires one, all its tags go",
            f"give rule {second} the lower number if its bound should hold for them",
        )


def latest_goes(evaluation: Evaluation) -> Iterator[Finding]:
    """The image tagged `latest` goes now."""
    for position, image in enumerate(evaluation.images):
        if LATEST in image.image_tags and (rule := evaluation.acts(position)):
            yield Finding(
                "latest-goes",
                ERROR,
                rule.rule_priority,
                f"takes the image tagged {LATEST} now ({image.image_digest})",
                f"put a rule with tagPatternList ['{LATEST}'] and imageCountMoreThan 1 before it",
            )


def releases_go(evaluation: Evaluation) -> Iterator[Finding]:
    """Images with a release tag that the `any` rule deletes now."""
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
            "put a rule for your release tags before it",
        )


OF_IMAGES: tuple[Callable[[Evaluation], Iterator[Finding]], ...] = (tags_of_two_rules, latest_goes, releases_go)
