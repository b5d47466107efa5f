"""Two policies on the same images."""

from ecrlab.lifecycle.diff import Change, diff
from tests.lifecycle.builders import NOW, image, policy, rule

IMAGES = [image("A", "v1", 3), image("B", "v2", 2), image("C", "", 9)]


def digests(changes: tuple[Change, ...]) -> list[tuple[str, int | None, int | None]]:
    return [(each.image.image_digest, each.old.rule_priority, each.new.rule_priority) for each in changes]


def test_what_an_edit_takes_and_keeps_is_told_by_rule() -> None:
    old = policy(rule(1, status="untagged", pushed=1))
    new = policy(rule(1, ["v*"], keep=1), rule(2, status="untagged", pushed=30))

    difference = diff(old, new, IMAGES, NOW)

    assert digests(difference.newly_going) == [("A", None, 1)]
    assert digests(difference.newly_kept) == [("C", 1, None)]
    assert difference.going_otherwise == ()


def test_an_image_that_goes_by_another_rule_or_elsewhere_is_told_apart() -> None:
    old = policy(rule(1, status="untagged", pushed=1))

    assert digests(diff(old, policy(rule(7, pushed=5)), IMAGES, NOW).going_otherwise) == [("C", 1, 7)]
    archiving = policy(rule(1, status="untagged", pushed=1, archive=True))
    assert digests(diff(old, archiving, IMAGES, NOW).going_otherwise) == [("C", 1, 1)]


def test_the_same_policy_changes_nothing() -> None:
    same = policy(rule(1, keep=1))

    difference = diff(same, same, iter(IMAGES), NOW)

    assert (difference.newly_going, difference.newly_kept, difference.going_otherwise) == ((), (), ())
    assert len(difference.new.expiring) == 2
