"""Our verdicts against AWS's preview: agreement, disagreement, and what no document decides."""

from datetime import timedelta
from typing import Any

import pytest

from ecrlab.lifecycle import Image, evaluate
from ecrlab.lifecycle.preview import Disagreement, compare, results
from tests.lifecycle.builders import NOW, image, policy, rule


def of_aws(digest: str, priority: int = 1) -> dict[str, Any]:
    return {"imageDigest": digest, "action": {"type": "EXPIRE"}, "appliedRulePriority": priority}


def compared(rules: list[Any], images: list[Image], *theirs: dict[str, Any]) -> list[Disagreement]:
    return compare(evaluate(policy(*rules), images, NOW), theirs)


def test_the_same_answer_is_no_disagreement() -> None:
    images = [image("A", "v1", 3), image("B", "", 99), image("C", "", 1)]
    evaluation = evaluate(policy(rule(1, ["v*"], pushed=1), rule(2, pushed=30, archive=True)), images, NOW)

    assert compare(evaluation, results(evaluation)) == []


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        ([], "expire by rule 1", "keep"),
        ([of_aws("A", 2)], "expire by rule 1", "expire by rule 2"),
        ([of_aws("A"), of_aws("B")], "keep", "expire by rule 1"),
    ],
)
def test_another_answer_is_a_disagreement(theirs: list[Any], ours: str, said: str) -> None:
    images = [image("A", "v1", 9), image("B", "v2", 3)]

    [found] = compared([rule(1, ["v*"], pushed=5)], images, *theirs)

    assert (found.ours, found.theirs, found.doubt) == (ours, said, "")


RESTORED = image("A", "v1", 99, last_activated_at=NOW - timedelta(days=3))


@pytest.mark.parametrize(
    ("rules", "images", "doubt"),
    [
        ([rule(1, pushed=5)], [image("A", "", 5.5), image("I", "v1", 1, children=("A",))], "an index still holds"),
        ([rule(1, pushed=5)], [image("A", "", 9, subject_digest="S"), image("S", "v1", 1)], "when a referrer goes"),
        ([rule(1, pushed=5)], [image("A", "", 4.5)], "24 hours or days of the calendar"),
        ([rule(1, pushed=5)], [RESTORED], "whether a restore counts"),
        ([rule(1, keep=1)], [image("A", "", 5), image("0", "", 5)], "the same instant"),
        ([rule(1, keep=1)], [image("A", "", 5, storage_class="activating")], "being restored"),
    ],
)
def test_a_disagreement_on_what_no_document_decides_says_so(rules: list[Any], images: list[Image], doubt: str) -> None:
    ours = [result for result in results(evaluate(policy(*rules), images, NOW)) if result["imageDigest"] != "A"]

    [found] = [each for each in compared(rules, images, of_aws("A"), *ours) if each.image_digest == "A"]

    assert doubt in found.doubt


def test_equal_instants_are_no_excuse_far_from_the_bound() -> None:
    images = [image("A", "", 5), image("B", "", 5), image("C", "", 1)]

    [found] = compared([rule(1, keep=1)], images, of_aws("A"))

    assert (found.image_digest, found.doubt) == ("B", "")


def test_an_image_that_only_aws_knows_was_pushed_meanwhile() -> None:
    [found] = compared([rule(1, keep=1)], [], of_aws("new"))

    assert found.ours == "not seen"
    assert found.doubt
