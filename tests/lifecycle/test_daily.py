"""A policy run day after day, held against `evaluate` looking at all images each time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.lifecycle import evaluate
from ecrlab.lifecycle.daily import Daily
from tests.lifecycle.builders import NOW, image, policy, rule
from tests.lifecycle.strategies import DIGESTS, policies, repositories


class Slowly:
    """The same life, every image looked at in every run."""

    def __init__(self, wanted, images):
        self.policy, self.images = wanted, {one.image_digest: one for one in images}

    def push(self, new):
        for digest, one in self.images.items():
            if digest != new.image_digest:
                left = tuple(tag for tag in one.image_tags if tag not in new.image_tags)
                self.images[digest] = replace(one, image_tags=left)
        there = self.images.setdefault(new.image_digest, new)
        tags = tuple(dict.fromkeys((*there.image_tags, *new.image_tags)))
        there = replace(there, image_tags=tags)
        if there.storage_class != "standard":
            there = replace(there, storage_class="standard", last_activated_at=new.pushed_at)
        self.images[new.image_digest] = there

    def pull(self, digest, instant):
        if digest in self.images and self.images[digest].storage_class == "standard":
            self.images[digest] = replace(self.images[digest], last_pulled_at=instant)

    def run(self, now):
        verdicts = [one for one in evaluate(self.policy, self.images.values(), now) if one.action]
        for verdict in verdicts:
            digest = verdict.image.image_digest
            if verdict.action.type == "expire":
                del self.images[digest]
            else:
                self.images[digest] = replace(verdict.image, storage_class="archive", last_archived_at=now)
        return {verdict.image.image_digest: verdict.rule_priority for verdict in verdicts}


def gone(run):
    return {image.image_digest: rule.rule_priority for image, rule in run}


def pushable(images):
    """As a registry has them: a tag is on one image only, and no image refers to itself, however far around."""
    seen = set()
    for one in images:
        subject = one.subject_digest if (one.subject_digest or "") > one.image_digest else None
        tags = tuple(tag for tag in one.image_tags if tag not in seen)
        yield replace(one, image_tags=tags, subject_digest=subject)
        seen.update(one.image_tags)


@st.composite
def days(draw):
    """What happens on some days, 30 days apart: pushes and pulls."""
    happenings = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        now = NOW + timedelta(days=30 * number)
        pushed = [
            replace(one, pushed_at=now - timedelta(hours=hours), storage_class="standard")
            for hours, one in enumerate(draw(repositories())[:3])
        ]
        pushed = [replace(one, last_archived_at=None, last_activated_at=None, last_pulled_at=None) for one in pushed]
        pulled = draw(st.lists(st.sampled_from(DIGESTS), max_size=3))
        happenings.append((now, list(pushable(pushed)), pulled))
    return happenings


@settings(max_examples=50)
@given(policies(), repositories(), days())
def test_day_by_day_the_verdicts_are_those_of_looking_at_everything(rules, images, happenings):
    wanted, images = policy(*rules), list(pushable(images))
    quick, slow = Daily(wanted, images), Slowly(wanted, images)
    for now, pushed, pulled in happenings:
        for one in pushed:
            quick.push(one)
            slow.push(one)
        for digest in pulled:
            quick.pull(digest, now)
            slow.pull(digest, now)

        assert gone(quick.run(now)) == slow.run(now)
        assert {one.image_digest: replace(one, image_tags=tuple(sorted(one.image_tags))) for one in quick} == {
            digest: replace(one, image_tags=tuple(sorted(one.image_tags))) for digest, one in slow.images.items()
        }


def test_without_a_policy_all_stay():
    life = Daily(None, [image("old", days=900)])

    assert life.run(NOW) == []
    assert len(life) == 1


def test_a_moved_tag_leaves_its_image_to_the_rule_for_untagged():
    life = Daily(policy(rule(1, status="untagged", pushed=1)), [image("old", "latest", days=9)])
    assert life.run(NOW) == []

    assert life.push(image("new", "latest"))

    assert gone(life.run(NOW)) == {"old": 1}
    assert "new" in life
    assert "old" not in life


def test_what_an_index_lists_goes_a_run_after_the_index():
    life = Daily(policy(rule(1, pushed=5)), [image("index", "v1", days=9, children=("part",)), image("part", days=9)])

    assert gone(life.run(NOW)) == {"index": 1}
    assert gone(life.run(NOW)) == {"part": 1}


def test_an_image_that_is_pulled_now_and_then_is_not_archived():
    life = Daily(policy(rule(1, unused=30)), [image("used", days=40), image("unused", days=40)])
    assert life.pull("used", NOW - timedelta(days=1))

    assert gone(life.run(NOW)) == {"unused": 1}
    assert not life.pull("unused", NOW)
    assert gone(life.run(NOW + timedelta(days=31))) == {"used": 1}


@pytest.mark.parametrize("again", ["archived", "there"])
def test_a_digest_pushed_again_is_the_same_image(again):
    rules = [rule(1, pushed=10, archive=True)] if again == "archived" else [rule(1, pushed=900)]
    life = Daily(policy(*rules), [image("same", "v1", days=20)])
    life.run(NOW)

    assert not life.push(replace(image("same", "v2"), pushed_at=NOW))

    [one] = life
    assert one.image_tags == ("v1", "v2")
    assert one.storage_class == "standard"
