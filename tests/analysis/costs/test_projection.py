"""A year ahead: a policy meets days to come, quickly, and as if everything were looked at each night."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest

from ecrlab.analysis.costs import storage
from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.costs.projection import Projection, futures, prepare, project, replay
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle import evaluate, parse
from ecrlab.scenarios import Blob, Day, Pull, Push, draw
from tests.analysis.repositories import NOW, image, repository
from tests.lifecycle.builders import policy, rule

LAST = date(2026, 9, 30)
AT = datetime(2026, 10, 1, tzinfo=UTC)

TIDY = policy(
    rule(1, ["v*"], keep=5),
    rule(2, status="untagged", pushed=3),
    rule(3, ["main-*"], keep=4),
    rule(4, pushed=20),
)
ARCHIVING = policy(rule(1, ["v*"], unused=5), rule(2, status="untagged", pushed=2, archive=True), rule(3, keep=60))


@pytest.fixture(scope="module")
def shop():
    return draw(3, LAST, days=40)


def slowly(snapshot, wanted, future):
    """The same, with all images looked at each night, and all layers added up anew."""
    images = {one.image_digest: one for one in snapshot.images}
    layers, sizes = dict(snapshot.layers), dict(snapshot.sizes)
    daily, taken, failed_pulls = [], {}, 0
    for day in future:
        events = [(p.pushed_at, 0, p) for p in day.pushes if p.repository_name == snapshot.name]
        events += [(p.pulled_at, 1, p) for p in day.pulls if p.repository_name == snapshot.name]
        for _, kind, event in sorted(events, key=lambda one: one[:2]):
            digest = event.image_digest
            if kind == 0:
                for other, one in images.items():
                    if other != digest:
                        left = tuple(tag for tag in one.image_tags if tag not in event.image_tags)
                        images[other] = replace(one, image_tags=left)
                if digest in images:
                    one = images[digest]
                    if one.storage_class != "standard":
                        one = replace(one, storage_class="standard", last_activated_at=event.pushed_at)
                    tags = tuple(dict.fromkeys((*one.image_tags, *event.image_tags)))
                    images[digest] = replace(one, image_tags=tags)
                else:
                    images[digest] = replace(
                        image(digest),
                        image_tags=event.image_tags,
                        pushed_at=event.pushed_at,
                        children=event.children,
                        subject_digest=event.subject_digest,
                        media_type=event.media_type,
                        size_in_bytes=event.size_in_bytes,
                    )
                    layers[digest] = tuple(dict.fromkeys(blob.digest for blob in event.blobs))
                    sizes.update(event.blobs)
            elif digest in images and images[digest].storage_class == "standard":
                images[digest] = replace(images[digest], last_pulled_at=event.pulled_at)
            else:
                failed_pulls += 1
        now = datetime.combine(day.date + timedelta(days=1), datetime.min.time(), UTC)
        for verdict in [one for one in evaluate(wanted, images.values(), now) if one.action] if wanted else []:
            digest = verdict.image.image_digest
            taken[verdict.rule_priority] = taken.get(verdict.rule_priority, 0) + 1
            if verdict.action.type == "expire":
                del images[digest]
            else:
                images[digest] = replace(images[digest], storage_class="archive", last_archived_at=now)
        left = {digest: layers[digest] for digest in images}
        classes = storage.by_class(Snapshot(snapshot.name, now, tuple(images.values()), left, sizes))
        daily.append((day.date, len(images), classes["standard"], classes["archive"]))
    return daily, taken, failed_pulls


@pytest.mark.parametrize("wanted", [None, TIDY, ARCHIVING])
def test_a_course_is_what_looking_at_everything_each_night_gives(shop, wanted):
    for name in [one.name for one in shop.repositories][1:6:2]:
        snapshot = replay(name, shop.past, at=AT)
        future = list(islice(shop.future(), 25))

        [trajectory] = project(snapshot, {"it": wanted}, [future]).trajectories["it"]

        quick = [(e.day, e.images, e.stored.standard, e.stored.archive) for e in trajectory.daily]
        assert (quick, trajectory.taken, len(trajectory.failed_pulls)) == slowly(snapshot, wanted, future)


def test_a_year_with_a_policy_takes_something_and_meets_the_same_days_as_without(shop):
    name = shop.repositories[-1].name
    both = project(
        replay(name, shop.past, at=AT), {"none": None, "tidy": TIDY}, futures(shop.future, days=60, number=2)
    )

    for without, tidy in zip(both.trajectories["none"], both.trajectories["tidy"], strict=True):
        assert without.end.images == tidy.end.images + sum(tidy.taken.values())
        assert without.end.stored.total.least > tidy.end.stored.total.least


def test_a_replayed_past_ends_as_it_does_in_the_registry(shop):
    """Tags that move leave what had them; what an index lists is there before it."""
    snapshot = replay(shop.repositories[0].name, shop.past, at=AT)

    assert len([tag for one in snapshot.images for tag in one.image_tags]) == len(
        {tag for one in snapshot.images for tag in one.image_tags}
    )
    assert set(snapshot.listed_by) <= set(snapshot.by_digest)
    assert set(snapshot.layers) == set(snapshot.by_digest)


def day(number, *pushes, pulls=()):
    return Day(NOW.date() + timedelta(days=number), pushes, pulls, ())


def push(digest, tags, days, layers=(), **more):
    blobs = tuple(Blob(layer, 10) for layer in layers)
    facts = {"size_in_bytes": 10 * len(layers), "media_type": "", "manifest": b"", "blobs": blobs}
    return Push(NOW + timedelta(days=days), "my-app", digest, tuple(tags.split()), **(facts | more))


def pull(digest, days):
    return Pull(NOW + timedelta(days=days, hours=1), "my-app", digest)


def test_pulls_of_what_is_gone_are_in_vain():
    start = repository(image("old", "v1", days=10))
    days = [
        day(1, push("new", "v2", 1, ["l"]), pulls=(pull("old", 1),)),
        day(2, pulls=(pull("old", 2), pull("new", 2))),
    ]

    [trajectory] = project(start, {"strict": policy(rule(1, keep=1))}, [days]).trajectories["strict"]

    assert [one.image_digest for one in trajectory.failed_pulls] == ["old"]
    assert trajectory.taken == {1: 1}
    assert trajectory.end.stored.total == Bounds.exactly(10)


def test_an_archived_image_that_is_pushed_again_is_back():
    start = repository(image("old", "v1", days=10), layers={"old": "l2"})
    archiving = policy(rule(1, ["v*"], pushed=5, archive=True))
    days = [day(1), day(2, push("old", "v2", 2, ["l2"]))]

    first, second = project(start, {"it": archiving}, [days]).trajectories["it"][0].daily

    assert (first.stored.standard, first.stored.archive) == (Bounds.exactly(0), Bounds.exactly(10))
    assert (second.stored.standard, second.stored.archive) == (Bounds.exactly(10), Bounds.exactly(0))


def test_an_unread_image_stays_a_bound_until_it_goes():
    start = Snapshot("my-app", NOW, (image("dark", days=9, size_in_bytes=300),), {}, {}, {"dark": "lost"})
    days = [day(1, push("new", "v1", 1, ["l"])), day(2)]

    kept = project(start, {"none": None}, [days]).trajectories["none"][0]
    strict = project(start, {"strict": policy(rule(1, keep=1))}, [days]).trajectories["strict"][0]

    assert kept.end.stored.total == Bounds(10, 310)
    assert strict.end.stored.total == Bounds.exactly(10)


def test_the_spread_is_over_the_futures():
    start = repository(image("old", "v1", days=10))
    some = [[day(1, *[push(f"n{k}", "", 1, [f"l{k}"]) for k in range(number)])] for number in (1, 2, 5)]

    projection = project(start, {"none": None}, some)

    assert projection.spread("none", lambda state: state.images) == [(2, 3, 6)]
    assert projection.days == [NOW.date() + timedelta(days=1)]


@pytest.mark.parametrize(
    ("policies", "days", "said"),
    [
        ({}, [[day(1)]], "needs a policy"),
        ({"none": None}, [], "at least one future"),
        ({"none": None}, [[]], "at least one day"),
        ({"none": None}, [[day(1)], [day(1), day(2)]], "of one length"),
        ({"none": None}, [[day(-3)]], "begins later"),
    ],
)
def test_what_cannot_be_projected_is_refused(policies, days, said):
    with pytest.raises(EcrLabError, match=said):
        project(repository(image("one")), policies, days)


def test_a_policy_read_from_text_will_do():
    text = json.dumps({"rules": [rule(1, keep=1)]})

    assert isinstance(project(repository(image("one")), {"it": parse(text)}, [[day(1)]]), Projection)
    assert prepare([day(1)], "my-app") == [(NOW.date() + timedelta(days=1), [])]
