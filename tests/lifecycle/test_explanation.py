"""One sentence for each image: who decides, by which number, and who else wanted it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from ecrlab.lifecycle import Image, evaluate, explain
from tests.lifecycle.builders import NOW, image, policy, rule
from tests.lifecycle.strategies import policies, repositories


def told(rules: list[Any], images: list[Image], digest: str = "A") -> str:
    return explain(evaluate(policy(*rules), images, NOW), digest)


def test_an_image_past_a_count_is_told_its_number() -> None:
    images = [image("A", "prod-1", 10), image("B", "prod-2", 9), image("C", "prod-3", 8)]

    assert told([rule(1, ["prod*"], keep=2)], images) == (
        "Expired by rule 1 (tagged prod*: keep the newest 2): it is number 3 of 3, newest first, and only the newest 2"
        " may stay."
    )


def test_a_kept_image_is_told_who_keeps_it_and_who_wanted_it() -> None:
    images = [image("A", "prod-1", 10), image("B", "", 9)]

    assert told([rule(1, ["prod*"], keep=1), rule(2, status="untagged", keep=1), rule(3, keep=1)], images) == (
        "Kept by rule 1 (tagged prod*: keep the newest 1): it is number 1 of 1, newest first, and the newest may stay;"
        " rule 3 would delete it, but may not touch what rule 1 selects."
    )


def test_an_age_is_told_against_its_bound() -> None:
    rules = [rule(1, status="untagged", pushed=3)]

    assert told(rules, [image("A", "", 3.5)]) == (
        "Expired by rule 1 (untagged: pushed more than 3 days ago): it was pushed 3 days 12 hours"
        " ago, more than 3 days."
    )
    assert "it was pushed 3 days ago, not more than 3 days" in told(rules, [image("A", "", 3)])


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"last_pulled_at": NOW - timedelta(days=95)}, "it was last pulled 95 days ago, more than 90 days"),
        ({}, "it was never pulled, and pushed 100 days ago, more than 90 days"),
        (
            {"last_activated_at": NOW - timedelta(days=2)},
            "it was restored from the archive 2 days ago, not more than 90 days",
        ),
    ],
)
def test_an_unused_image_is_told_since_when(facts: dict[str, Any], words: str) -> None:
    assert words in told([rule(1, unused=90)], [image("A", "v1", 100, **facts)])


def test_an_archived_image_is_told_since_when() -> None:
    archived = image("A", "v1", 900, storage_class="archive", last_archived_at=NOW - timedelta(days=91))

    assert told([rule(1, archived=90)], [archived]) == (
        "Expired by rule 1 (any image: archived more than 90 days ago): it was archived 91 days ago, more than 90 days."
    )


def test_a_missing_tag_of_a_list_is_named() -> None:
    sentence = told([rule(1, ["alpha*", "beta*"], keep=1)], [image("A", "alpha-1", 1)])

    assert sentence == (
        "Kept, for no rule selects it: its tags fit no rule; rule 1 wants alpha* and beta* on one"
        " image and finds no tag"
        " for beta*."
    )


def test_the_index_that_holds_an_image_is_named() -> None:
    images = [image("sha256:0123456789abcdef", "v1", 1, children=("A",)), image("A", "", 9)]

    assert told([rule(1, status="untagged", pushed=1)], images) == (
        "Kept, for the index sha256:0123456789ab lists it and is still there; rule 1 marks it, but"
        " cannot act before the"
        " index is gone."
    )


def test_all_indexes_that_hold_an_image_are_named() -> None:
    images = [image("I", "v1", 1, children=("A",)), image("J", "v2", 1, children=("A",)), image("A", "", 9)]

    assert "the indexes I and J list it and are still there" in told([rule(1, status="untagged", pushed=1)], images)


def test_a_signature_is_told_about_its_subject() -> None:
    rules = [rule(1, ["v*"], pushed=5), rule(2, status="untagged", pushed=1)]
    signature = image("A", "", 3, subject_digest="S")

    assert told(rules, [signature, image("S", "v1", 4)]) == (
        "Kept, for it belongs to its subject S, which stays; rule 2 marks it, but it goes only with its subject."
    )
    assert told(rules, [signature, image("S", "v1", 6)]).startswith("Expired with its subject S, which rule 1 takes")


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (image("A", "", 1), "it has no tag, and no rule is for untagged images"),
        (image("A", "w1", 1), "its tags fit no rule"),
        (image("A", "v1", 1, storage_class="activating"), "it is being restored from the archive"),
        (image("A", "v1", 1, storage_class="archive"), "it is archived, and no rule for archived images fits"),
    ],
)
def test_an_image_that_no_rule_selects_is_told_why(held: Image, words: str) -> None:
    assert words in told([rule(1, ["v*"], keep=1)], [held])


def test_an_unknown_digest_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        told([rule(1, keep=1)], [], "A")


@settings(max_examples=100)
@given(policies(), repositories())
def test_every_image_has_one_sentence_that_fits_its_verdict(rules: list[dict[str, Any]], images: list[Image]) -> None:
    evaluation = evaluate(policy(*rules), images, NOW)

    for verdict in evaluation:
        sentence = explain(evaluation, verdict.image.image_digest)
        begins = {None: "Kept", "expire": "Expired", "transition": "Archived"}
        assert sentence.startswith(begins[verdict.action and verdict.action.type])
        assert sentence.endswith(".")
        assert verdict.rule_priority is None or f"rule {verdict.rule_priority} " in sentence
