"""The next instant at which a policy has something to do: not later, and not earlier than something changes."""

from datetime import timedelta

from hypothesis import given

from ecrlab.lifecycle import Image, evaluate
from ecrlab.lifecycle.forecast import next_change
from tests.lifecycle.builders import NOW, going, image, policy, rule
from tests.lifecycle.strategies import policies, repositories

MOMENT = timedelta(microseconds=1)


def marked(evaluation):
    """Which images the rules that decide about them mark."""
    return {
        evaluation.images[position].image_digest
        for position in range(len(evaluation.images))
        if (first := evaluation.deciding(position)) and evaluation.marks(first, position)
    }


@given(rules=policies(), images=repositories())
def test_until_then_nothing_changes_and_then_something_does(rules, images):
    held = policy(*rules)
    evaluation = evaluate(held, images, NOW)
    restored = [one.last_activated_at for one in images if one.storage_class == "activating" and one.last_activated_at]

    then = next_change(evaluation)

    if then is None:
        assert marked(evaluate(held, images, NOW + timedelta(days=10_000))) == marked(evaluation)
        return
    assert then > NOW
    before = evaluate(held, images, then - MOMENT)
    assert going(before) == going(evaluation)
    assert then in restored or marked(evaluate(held, images, then)) > marked(evaluation)


def test_an_image_is_marked_a_moment_after_its_bound():
    images = [image("old", "v1", 40), image("young", "v2", 3)]

    assert next_change(evaluate(policy(rule(1, pushed=30)), images, NOW)) == NOW + timedelta(days=27) + MOMENT


def test_counts_and_shielded_images_are_not_waited_for():
    images = [image("a", "v1", 1), image("b", "v2", 2)]

    assert next_change(evaluate(policy(rule(1, keep=5)), images, NOW)) is None
    assert next_change(evaluate(policy(rule(1, ["v*"], keep=5), rule(2, pushed=3)), images, NOW)) is None


def test_a_restore_under_way_is_waited_for():
    over = NOW + timedelta(minutes=20)
    back = Image("back", ("v1",), NOW - timedelta(days=100), storage_class="activating", last_activated_at=over)

    assert next_change(evaluate(policy(rule(1, keep=1)), [back], NOW)) == over


def test_ages_beyond_the_calendar_never_come():
    assert next_change(evaluate(policy(rule(1, pushed=2**31 - 1)), [image("a", "v1", 1)], NOW)) is None
