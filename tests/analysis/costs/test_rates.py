"""Days to come, drawn from a repository's own days."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice

from ecrlab.analysis.costs import storage
from ecrlab.analysis.costs.projection import futures, project, replay
from ecrlab.analysis.costs.rates import Rate, _continued
from ecrlab.analysis.inventory.snapshot import Snapshot, doubts, looked_at
from ecrlab.scenarios import draw
from tests.analysis.repositories import NOW, OCI_INDEX, image, repository


def first(rate, days, number=0):
    return list(islice(rate.future(number), days))


def pushes(days):
    return [push for day in days for push in day.pushes]


def daily(number=30, tags="v1.0.{n} latest"):
    """An image a day, on a base that all share; the tag that moves is on the newest."""
    images = [
        image(f"i{n}", tags.format(n=n) if n == 1 else tags.format(n=n).replace(" latest", ""), days=n)
        for n in range(1, number + 1)
    ]
    sizes = {"base": 1000} | {f"app{n}": 10 for n in range(1, number + 1)}
    layers = {f"i{n}": f"base app{n}" for n in range(1, number + 1)}
    return repository(*images, layers=layers, sizes=sizes)


def test_the_same_number_gives_the_same_future_and_another_number_another():
    rate = Rate(daily())

    assert first(rate, 50) == first(Rate(daily()), 50)
    assert first(rate, 50) != first(rate, 50, number=1)


def test_days_follow_the_look_one_after_the_other():
    days = first(Rate(daily()), 3)

    assert [day.date for day in days] == [NOW.date() + timedelta(days=n) for n in (1, 2, 3)]
    assert all(push.pushed_at.date() == day.date for day in days for push in day.pushes)


def test_as_many_images_come_with_as_many_new_bytes_and_share_what_was_shared():
    start = daily()
    [trajectory] = project(start, {"none": None}, [first(Rate(start), 100)]).trajectories["none"]

    assert trajectory.end.images == 30 + 100
    assert trajectory.end.stored.total.least == storage.stored(start).least + 100 * 10


def test_quiet_days_are_drawn_too():
    quiet = repository(image("a", days=10), image("b", days=1), layers={"a": "l1", "b": "l2"})

    came = pushes(first(Rate(quiet), 1000))

    assert 150 < len(came) < 250  # two of ten days


def test_weekdays_are_drawn_from_their_like():
    working = [n for n in range(1, 57) if (NOW - timedelta(days=n)).weekday() < 5]
    start = repository(*[image(f"i{n}", days=n) for n in working], layers={f"i{n}": "l1" for n in working})

    assert all(bool(day.pushes) == (day.date.weekday() < 5) for day in first(Rate(start), 60))


def test_tags_that_move_move_and_others_are_counted_on_so_that_patterns_still_match():
    came = pushes(first(Rate(daily()), 200))
    tags = [tag for push in came for tag in push.image_tags]

    versions = [tag for tag in tags if tag != "latest"]
    assert len(set(versions)) == len(versions) == 200
    assert all(tag.startswith("v1.0.") for tag in versions)
    assert not {f"v1.0.{n}" for n in range(1, 31)} & set(versions)
    assert tags.count("latest") == sum("latest" in push.image_tags for push in came) > 0


def test_commits_stay_commits_and_suffixes_stay():
    continued = _continued(["main-3f2a9c1", "main-77c0ffe", "v1.2.3-arm64", "v1.2.4-arm64", "stable"])

    assert "stable" not in continued
    commit = continued["main-3f2a9c1"](5)
    assert commit.startswith("main-")
    assert len(commit) == len("main-3f2a9c1")
    assert commit != "main-3f2a9c1"
    assert continued["v1.2.3-arm64"](1) == "v1.2.5-arm64"


def test_what_belongs_together_comes_together():
    start = repository(
        image("index", "v1", days=3, media_type=OCI_INDEX, children=("amd64", "arm64")),
        image("amd64", days=3.01),
        image("arm64", days=4.5),
        image("signature", subject_digest="index", days=2),
        layers={"amd64": "l1", "arm64": "l2", "signature": "l3"},
    )

    day = next(day for day in Rate(start).future() if day.pushes)
    index = next(push for push in day.pushes if push.children)
    [signature] = [push for push in day.pushes if push.subject_digest]

    assert set(index.children) < {push.image_digest for push in day.pushes}
    assert not set(index.children) & {"amd64", "arm64"}
    assert signature.subject_digest == index.image_digest


def test_what_runs_is_pulled_every_day_and_the_like_of_what_was_used_is_used():
    start = repository(
        image("runs", days=20),
        image("used", days=10, last_pulled_at=NOW - timedelta(days=8)),
        layers={"runs": "l1", "used": "l2"},
    )
    days = first(Rate(start, running=frozenset({"runs"})), 100)

    assert all("runs" in {pull.image_digest for pull in day.pulls} for day in days)
    used = [pull for day in days for pull in day.pulls if pull.image_digest != "runs"]
    assert used
    assert "used" not in {pull.image_digest for pull in used}


def test_nothing_comes_to_an_empty_repository_and_it_says_so():
    rate = Rate(repository())

    assert pushes(first(rate, 30)) == []
    assert "nothing was ever pushed" in rate.doubts()[0]


def test_one_image_is_a_rate_but_one_to_doubt():
    rate = Rate(repository(image("only", "v1", days=0.1), layers={"only": "l2"}))

    assert len(pushes(first(rate, 10))) == 10
    assert any("few to tell a rate from" in doubt for doubt in rate.doubts())


def test_an_image_from_the_future_is_no_part_of_the_rate():
    rate = Rate(repository(image("skewed", days=-5), image("fine", days=2), layers={"skewed": "l1", "fine": "l2"}))

    assert {push.size_in_bytes for push in pushes(first(rate, 50))} == {0}
    assert len(rate.days) == 2


def test_an_unread_image_comes_again_with_as_much_as_it_may_hold():
    start = Snapshot("my-app", NOW, (image("dark", days=1, size_in_bytes=300),), {}, {}, {"dark": "lost"})

    assert pushes(first(Rate(start), 1))[0].blobs[0].size == 300


def test_a_shop_judged_by_its_own_days_grows_about_as_it_does():
    shop = draw(3, date(2026, 9, 30), days=120)
    name = shop.repositories[-1].name
    start = replay(name, shop.past, at=datetime(2026, 10, 1, tzinfo=UTC))

    true = project(start, {"": None}, futures(shop.future, days=90, number=3))
    guessed = project(start, {"": None}, futures(Rate(start).future, days=90, number=3))

    (_, truth, _), (_, guess, _) = (p.spread("", lambda state: state.images)[-1] for p in (true, guessed))
    assert 0.7 < (guess - len(start)) / (truth - len(start)) < 1.4


def test_a_look_at_all_manifests_is_no_use():
    images = [image(f"i{n}", days=n, last_pulled_at=NOW - timedelta(minutes=n)) for n in range(1, 21)]
    start = repository(*images, layers={f"i{n}": "l1" for n in range(1, 21)})

    assert looked_at(start) == {f"i{n}" for n in range(1, 21)}
    assert not any(day.pulls for day in first(Rate(start), 30))
    assert any("when they were last used is not known" in doubt for doubt in doubts(start))


def test_what_is_pulled_now_and_then_is_no_look():
    images = [image(f"i{n}", days=n, last_pulled_at=NOW - timedelta(hours=2 * n)) for n in range(1, 21)]

    assert looked_at(repository(*images)) == frozenset()
    assert looked_at(repository(*images[:3])) == frozenset()
