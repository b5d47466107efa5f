"""Trajectories that are kept: horizons and starts, what one policy saves, and what is not known as bounds."""

from datetime import UTC, date, datetime

import pytest

from ecrlab.analysis.costs import prices
from ecrlab.analysis.costs.projection import futures, project, replay
from ecrlab.analysis.costs.trajectories import Trajectories, saved
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.errors import EcrLabError
from ecrlab.scenarios import draw
from tests.lifecycle.builders import image, policy, rule

AT = datetime(2026, 10, 1, tzinfo=UTC)
TIDY = policy(rule(1, ["v*"], keep=5), rule(2, status="untagged", pushed=3), rule(3, pushed=20))
PRICES = prices.load()


@pytest.fixture(scope="module")
def shop():
    return draw(3, date(2026, 9, 30), days=40)


@pytest.fixture(scope="module")
def snapshot(shop):
    return replay(shop.repositories[-1].name, shop.past, at=AT)


@pytest.fixture(scope="module")
def trajectories(shop, snapshot):
    return Trajectories(snapshot, futures(shop.future, days=30, number=2))


def both(trajectories, start=0, days=30):
    return trajectories.of(None, start, days), trajectories.of(TIDY, start, days)


def test_a_course_is_that_of_the_projection(shop, snapshot, trajectories):
    whole = project(snapshot, {"tidy": TIDY}, futures(shop.future, days=30, number=2)).trajectories["tidy"]

    assert [one.daily for one in trajectories.of(TIDY, 0, 30)] == [one.daily for one in whole]


def test_what_is_saved_is_the_difference_in_each_future(trajectories):
    for dear, cheap, gain in zip(*both(trajectories), saved(*both(trajectories), PRICES), strict=True):
        pairs = zip(dear.daily, cheap.daily, strict=True)
        bytes_of_days = sum(one.stored.total.least - other.stored.total.least for one, other in pairs)

        assert gain.is_exact
        assert gain.least == pytest.approx(bytes_of_days / 2**30 * 0.10 / 30, rel=1e-9)
        assert gain.least > 0


def test_a_nearer_horizon_is_the_beginning_of_the_same(trajectories):
    for one, whole in zip(trajectories.of(TIDY, 0, 10), trajectories.of(TIDY, 0, 30), strict=True):
        assert one.daily == whole.daily[:10]
        assert [pull for pull in whole.failed_pulls if pull.pulled_at.date() <= one.end.day] == list(one.failed_pulls)


def test_before_its_start_a_policy_changes_nothing_and_then_it_acts_at_once(trajectories):
    without, late = trajectories.of(None, 0, 30)[0], trajectories.of(TIDY, 12, 30)[0]

    assert late.daily[:12] == without.daily[:12]
    assert late.daily[12].images < without.daily[12].images
    assert late.taken == {}


def test_a_late_start_ends_where_an_early_one_does_once_all_rules_have_caught_up(trajectories):
    early, late = trajectories.of(TIDY, 0, 30)[1], trajectories.of(TIDY, 5, 30)[1]

    assert late.end == early.end


def test_a_policy_is_met_once(trajectories, monkeypatch):
    trajectories.of(TIDY, 3, 30)
    trajectories.of(None, 3, 30)
    monkeypatch.setattr("ecrlab.analysis.costs.trajectories.simulate", None)

    assert trajectories.of(TIDY, 3, 7)[0].daily
    assert trajectories.of(None, 3, 7)[0].daily == trajectories.of(None, 9, 7)[0].daily


def test_a_future_that_has_begun_is_refused(shop, snapshot):
    with pytest.raises(EcrLabError, match="begins later"):
        Trajectories(snapshot, [shop.past[:3]])


def unknown(size=2**30):
    one = image("sha256:aa", "v1", size_in_bytes=size)
    return Snapshot("dark", AT, (one,), {}, {}, {one.image_digest: "nobody may read it"})


@pytest.mark.parametrize(("size", "most"), [(2**30, 0.10), (0, None)])
def test_of_what_could_not_be_read_only_bounds_are_saved(shop, size, most):
    dark = Trajectories(unknown(size), futures(shop.future, days=30, number=1))

    gain = saved(dark.of(None, 0, 30), dark.of(policy(rule(1, pushed=3650)), 0, 30), PRICES)

    if most is None:
        assert gain is None
    else:
        assert (gain[0].least, gain[0].most) == (pytest.approx(-most), pytest.approx(most))
