"""Judging images: AWS's worked examples, the order of things, and the slow way as a witness."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from ecrlab.lifecycle import Image, LifecycleError, evaluate, explain
from ecrlab.lifecycle.verdict import Reason
from tests.lifecycle import slow
from tests.lifecycle.builders import NOW, going, image, policy, rule
from tests.lifecycle.strategies import policies, repositories

# The worked examples of the AWS user guide, examples of lifecycle policies


def multiple_rules() -> list[Image]:
    return [image("A", "beta-1 prod-1", 10), image("B", "beta-2 prod-2", 9), image("C", "beta-3", 8)]


def test_aws_multiple_rules_example_a() -> None:
    rules = policy(rule(1, ["prod*"], keep=1), rule(2, ["beta*"], keep=1))

    assert going(evaluate(rules, multiple_rules(), NOW)) == {"A": 1}


def test_aws_multiple_rules_example_b() -> None:
    rules = policy(rule(1, ["beta*"], keep=1), rule(2, ["prod*"], keep=1))

    assert going(evaluate(rules, multiple_rules(), NOW)) == {"A": 1, "B": 1}


def test_aws_multiple_tags_in_one_rule_example_a() -> None:
    rules = policy(rule(1, ["alpha*", "beta*"], pushed=5))
    images = [
        *(image("A", "alpha-1", 12), image("B", "beta-1", 11), image("C", "alpha-2 beta-2", 10)),
        *(image("D", "alpha-3", 4), image("E", "beta-3", 3), image("F", "alpha-4 beta-4", 2)),
    ]

    assert going(evaluate(rules, images, NOW)) == {"C": 1}


def test_aws_multiple_tags_in_one_rule_example_b() -> None:
    rules = policy(rule(1, ["alpha*", "beta*"], keep=1))
    images = [
        image("A", "alpha-1 beta-1 gamma-1", 10),
        image("B", "alpha-2 beta-2", 9),
        image("C", "alpha-3 beta-3 gamma-2", 8),
    ]

    assert going(evaluate(rules, images, NOW)) == {"A": 1, "B": 1}


def test_aws_all_images_example_a() -> None:
    images = [image("A", "alpha", 4), image("B", "beta", 3), image("C", "", 2), image("D", "gamma", 1)]

    assert going(evaluate(policy(rule(1, keep=1)), images, NOW)) == {"A": 1, "B": 1, "C": 1}


def test_aws_all_images_example_b() -> None:
    rules = policy(rule(1, ["alpha*"], keep=1), rule(2, status="untagged", pushed=1), rule(3, keep=1))
    images = [
        *(image("A", "alpha-1 beta-1", 4), image("B", "", 3), image("C", "alpha-2", 2)),
        *(image("D", "git-hash", 1), image("E", "", 1)),
    ]

    assert going(evaluate(rules, images, NOW)) == {"A": 1, "B": 2, "D": 3}


def test_aws_archive_and_expire_combined() -> None:
    rules = policy(rule(1, pushed=30, archive=True), rule(2, archived=365))
    images = [
        image("young", "v3", 29),
        image("old", "v2", 31),
        image("kept", "v1", 500, storage_class="archive", last_archived_at=NOW - timedelta(days=365)),
        image("gone", "v0", 500, storage_class="archive", last_archived_at=NOW - timedelta(days=366)),
    ]

    evaluation = evaluate(rules, images, NOW)

    assert [v.image.image_digest for v in evaluation.transitioning] == ["old"]
    assert [v.image.image_digest for v in evaluation.expiring] == ["gone"]


# One rule of the order of things each


def test_a_rule_shields_what_it_keeps_from_later_rules() -> None:
    rules = policy(rule(1, ["prod*"], keep=9999), rule(2, pushed=7))

    assert going(evaluate(rules, [image("P", "prod-1", 90), image("Q", "dev-1", 90)], NOW)) == {"Q": 2}


def test_what_an_earlier_rule_takes_still_fills_the_count_of_a_later_one() -> None:
    rules = policy(rule(1, ["tmp*"], pushed=1), rule(2, keep=2))
    images = [image("T", "tmp-1", 2), image("A", "a", 3), image("B", "b", 1)]

    assert going(evaluate(rules, images, NOW)) == {"T": 1, "A": 2}


@pytest.mark.parametrize(("seconds", "goes"), [(-1, False), (0, False), (1, True)])
def test_older_means_strictly_older_than_full_days(seconds: int, goes: bool) -> None:
    pushed = NOW - timedelta(days=14, seconds=seconds)

    evaluation = evaluate(policy(rule(1, pushed=14)), [Image("A", (), pushed)], NOW)

    assert bool(evaluation.expiring) is goes


def test_images_of_one_instant_are_ordered_by_digest() -> None:
    images = [image("c", "", 1), image("a", "", 1), image("b", "", 1), image("d", "", 2)]

    assert going(evaluate(policy(rule(1, keep=2)), images, NOW)) == {"d": 1, "a": 1}


def test_a_prefix_list_asks_for_a_tag_with_each_prefix() -> None:
    rules = policy(rule(1, status="tagged", keep=1, tagPrefixList=["a", "b"]), rule(2, keep=1))
    images = [image("ab", "a1 b1", 2), image("A", "a2", 4), image("AB", "a3 b3", 1), image("one", "ab", 3)]

    assert going(evaluate(rules, images, NOW)) == {"ab": 1, "A": 2, "one": 2}


def test_a_pattern_is_held_against_the_whole_tag_with_its_case() -> None:
    rules = policy(rule(1, ["latest"], pushed=1))
    images = [image("A", "latest", 2), image("B", "latest-1", 2), image("C", "Latest", 2)]

    assert going(evaluate(rules, images, NOW)) == {"A": 1}


def test_an_archived_image_fills_no_place_in_a_count_of_standard_images() -> None:
    archived = {"storage_class": "archive", "last_archived_at": NOW}
    images = [image("A", "v1", 3), image("B", "v2", 2, **archived), image("C", "v3", 1, **archived)]

    assert going(evaluate(policy(rule(1, keep=1)), images, NOW)) == {}


def test_an_image_that_is_being_restored_is_left_alone_and_not_counted() -> None:
    images = [image("A", "v1", 300, storage_class="activating"), image("B", "v2", 1)]

    evaluation = evaluate(policy(rule(1, keep=1)), images, NOW)

    assert going(evaluation) == {}
    assert evaluation.verdict("A").reason is Reason.UNSELECTED


def test_a_restored_image_counts_as_pushed_when_it_was_restored() -> None:
    restored = image("R", "v1", 300, last_activated_at=NOW - timedelta(days=1))
    images = [restored, image("B", "v2", 2), image("C", "v3", 0)]

    assert going(evaluate(policy(rule(1, keep=2)), images, NOW)) == {"B": 1}
    assert going(evaluate(policy(rule(1, pushed=1)), images, NOW)) == {"B": 1}


@pytest.mark.parametrize(
    ("facts", "goes"),
    [
        ({}, True),
        ({"last_pulled_at": NOW - timedelta(days=91)}, True),
        ({"last_pulled_at": NOW - timedelta(days=90)}, False),
        ({"last_activated_at": NOW - timedelta(days=3)}, False),
        ({"last_pulled_at": NOW - timedelta(days=95), "last_activated_at": NOW - timedelta(days=3)}, False),
        ({"last_pulled_at": NOW - timedelta(days=91), "last_activated_at": NOW - timedelta(days=95)}, True),
    ],
)
def test_unused_counts_from_the_last_pull_or_restore_or_else_the_push(facts: dict[str, Any], goes: bool) -> None:
    evaluation = evaluate(policy(rule(1, unused=90)), [image("A", "v1", 100, **facts)], NOW)

    assert bool(evaluation.transitioning) is goes


def test_an_archived_image_without_a_date_of_archiving_stays() -> None:
    images = [image("A", "v1", 900, storage_class="archive")]

    assert going(evaluate(policy(rule(1, archived=90)), images, NOW)) == {}


def test_what_an_index_lists_stays_until_the_next_run_after_the_index() -> None:
    rules = policy(rule(1, status="untagged", pushed=1), rule(2, pushed=1))
    index, child = image("index", "v1", 9, children=("child",)), image("child", "", 9)

    both = evaluate(rules, [index, child], NOW)

    assert going(both) == {"index": 2}
    assert both.verdict("child").reason is Reason.LISTED
    assert going(evaluate(rules, [child], NOW)) == {"child": 1}


def test_an_archived_index_lets_its_children_be_archived_but_not_deleted() -> None:
    index = image("index", "v1", 9, children=("child",), storage_class="archive", last_archived_at=NOW)
    child = image("child", "", 9)

    assert going(evaluate(policy(rule(1, pushed=1, archive=True)), [index, child], NOW)) == {"child": 1}
    assert going(evaluate(policy(rule(1, pushed=1)), [index, child], NOW)) == {}


def test_a_signature_goes_with_its_subject_and_not_before() -> None:
    rules = policy(rule(1, status="untagged", pushed=1), rule(2, ["v*"], pushed=30))
    image_, signature = image("image", "v1", 31), image("signature", "", 30, subject_digest="image")
    of_signature = image("second", "", 30, subject_digest="signature")

    assert going(evaluate(rules, [image_, signature, of_signature], NOW)) == {"image": 2, "signature": 2, "second": 2}
    early = evaluate(rules, [image_, signature, of_signature], NOW - timedelta(days=5))
    assert going(early) == {}
    assert early.verdict("second").reason is Reason.ATTACHED


def test_a_signature_that_is_archived_before_its_subject_stays_there() -> None:
    signature = image("S", "", 9, subject_digest="A", storage_class="archive", last_archived_at=NOW)

    evaluation = evaluate(policy(rule(1, pushed=5, archive=True)), [image("A", "v1", 9), signature], NOW)

    assert going(evaluation) == {"A": 1}
    assert evaluation.verdict("S").reason is Reason.ARCHIVED
    assert explain(evaluation, "S").startswith("Kept, for its subject A goes to the archive, where this one is already")


def test_verdicts_can_be_sliced_and_counted_before_they_are_made() -> None:
    evaluation = evaluate(policy(rule(1, keep=1)), [image(str(n), "", n) for n in range(4)], NOW)

    assert len(evaluation.expiring) == 3
    assert [v.image.image_digest for v in evaluation.expiring[:2]] == ["3", "2"]
    assert evaluation.expiring[-1].image.image_digest == "1"


def test_a_signature_whose_subject_is_gone_is_an_image_like_any_other() -> None:
    rules = policy(rule(1, status="untagged", pushed=1))

    assert going(evaluate(rules, [image("signature", "", 3, subject_digest="gone")], NOW)) == {"signature": 1}


def test_a_bound_beyond_the_calendar_marks_nothing() -> None:
    assert going(evaluate(policy(rule(1, pushed=2_000_000_000)), [image("A", "", 9999)], NOW)) == {}


def test_every_image_has_one_verdict_and_is_listed_oldest_first() -> None:
    images = [image("A", "v1", 1), image("B", "", 3), image("C", "v2", 2)]

    evaluation = evaluate(policy(rule(1, ["v*"], keep=1)), images, NOW)

    assert [v.image.image_digest for v in evaluation] == ["B", "C", "A"]
    assert [v.image.image_digest for v in evaluation.kept] == ["B", "A"]
    assert [(v.image.image_digest, v.rule_priority) for v in evaluation.expiring] == [("C", 1)]
    assert evaluation.verdict("A").rule_priority is None
    with pytest.raises(KeyError):
        evaluation.verdict("D")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(LifecycleError, match="needs a time zone"):
        evaluate(policy(rule(1, keep=1)), [], NOW.replace(tzinfo=None))


# The slow way as a witness


@settings(max_examples=300)
@given(policies(), repositories())
def test_the_fast_way_agrees_with_the_slow_way(rules: list[dict[str, Any]], images: list[Image]) -> None:
    judged = policy(*rules)

    evaluation = evaluate(judged, images, NOW)

    assert {v.image.image_digest: v.rule_priority for v in evaluation} == slow.judge(judged, images, NOW)
    assert len(evaluation.expiring) + len(evaluation.transitioning) + len(evaluation.kept) == len(images)


# What an index hinders


def test_what_an_index_lists_is_hindered_by_the_rule_that_wants_it() -> None:
    images = [
        image("arm", "", 9),
        image("amd", "", 8),
        image("index", "v1", 7, children=("arm", "amd")),
        image("young", "", 0),
    ]
    evaluation = evaluate(policy(rule(1, ["v*"], pushed=30), rule(2, status="untagged", pushed=1)), images, NOW)

    hindered = [(one.image_digest, by.rule_priority) for one, by in evaluation.held_back()]
    assert hindered == [("arm", 2), ("amd", 2)]
    assert going(evaluation) == {}


def test_what_nobody_wants_is_not_hindered() -> None:
    images = [image("amd", "", 8), image("index", "v1", 7, children=("amd",))]

    assert list(evaluate(policy(rule(1, status="untagged", pushed=30)), images, NOW).held_back()) == []
    assert list(evaluate(policy(rule(1, ["v*"], pushed=1)), images, NOW).held_back()) == []


def test_a_listed_signature_is_hindered_when_its_subject_goes() -> None:
    images = [
        image("subject", "v1", 9),
        image("note", "", 8, subject_digest="subject"),
        image("index", "keep", 7, children=("note",)),
    ]
    evaluation = evaluate(policy(rule(4, ["v*"], pushed=1)), images, NOW)

    assert [(one.image_digest, by.rule_priority) for one, by in evaluation.held_back()] == [("note", 4)]
