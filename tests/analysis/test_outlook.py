"""Two policies on the same futures: the money to the cent, horizons and starts, and what is not known as bounds."""

from datetime import UTC, date, datetime

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from ecrlab.analysis import outlook_picture, prices
from ecrlab.analysis.amounts import Amount
from ecrlab.analysis.outlook import Courses, Outlook
from ecrlab.analysis.projection import futures, lived, project
from ecrlab.analysis.snapshot import Snapshot
from ecrlab.errors import EcrLabError
from ecrlab.histories import draw
from tests.lifecycle.builders import image, policy, rule

mpl.use("agg")

AT = datetime(2026, 10, 1, tzinfo=UTC)
TIDY = policy(rule(1, ["v*"], keep=5), rule(2, status="untagged", pushed=3), rule(3, pushed=20))
PRICES = prices.load()


@pytest.fixture(scope="module")
def shop():
    return draw(3, date(2026, 9, 30), days=40)


@pytest.fixture(scope="module")
def snapshot(shop):
    return lived(shop.repositories[-1].name, shop.past, at=AT)


@pytest.fixture(scope="module")
def courses(shop, snapshot):
    return Courses(snapshot, futures(shop.future, days=30, number=2))


def outlook(courses, start=0, days=30):
    met = {"none": courses.of(None, start, days), "tidy": courses.of(TIDY, start, days)}
    return Outlook(met, PRICES)


def test_a_course_is_that_of_the_projection(shop, snapshot, courses):
    whole = project(snapshot, {"tidy": TIDY}, futures(shop.future, days=30, number=2)).courses["tidy"]

    assert [one.evenings for one in courses.of(TIDY, 0, 30)] == [one.evenings for one in whole]


def test_the_money_is_each_evening_for_a_thirtieth_of_a_month(courses):
    shown = outlook(courses)
    by_hand = [
        sum(evening.stored.all.least for evening in one.evenings) / 2**30 * 0.10 / 30 for one in shown.courses["tidy"]
    ]

    assert [cost.least for cost in shown.cost("tidy")] == pytest.approx(by_hand, rel=1e-9)
    assert all(cost.is_exact for cost in shown.cost("tidy"))


def test_what_is_saved_is_the_difference_in_each_future(courses):
    shown = outlook(courses)

    for dear, cheap, saved in zip(shown.cost("none"), shown.cost("tidy"), shown.saved(), strict=True):
        assert saved == Amount.exactly(dear.least - cheap.least)
        assert saved.least > 0


def test_a_nearer_horizon_is_the_beginning_of_the_same(courses):
    near, far = outlook(courses, days=10), outlook(courses)

    assert near.days == 10
    for one, whole in zip(near.courses["tidy"], far.courses["tidy"], strict=True):
        assert one.evenings == whole.evenings[:10]
        assert [pull for pull in whole.in_vain if pull.pulled_at.date() <= one.end.day] == list(one.in_vain)


def test_before_its_start_a_policy_changes_nothing_and_then_it_acts_at_once(courses):
    without, late = courses.of(None, 0, 30)[0], courses.of(TIDY, 12, 30)[0]

    assert late.evenings[:12] == without.evenings[:12]
    assert late.evenings[12].images < without.evenings[12].images
    assert late.taken == {}


def test_a_late_start_ends_where_an_early_one_does_once_all_rules_have_caught_up(courses):
    early, late = courses.of(TIDY, 0, 30)[1], courses.of(TIDY, 5, 30)[1]

    assert late.end == early.end


def test_a_policy_is_met_once(courses, monkeypatch):
    courses.of(TIDY, 3, 30)
    monkeypatch.setattr("ecrlab.analysis.outlook.course", None)

    assert courses.of(TIDY, 3, 7)[0].evenings
    assert courses.of(None, 3, 7)[0].evenings == courses.of(None, 9, 7)[0].evenings


def test_a_future_that_has_begun_is_refused(shop, snapshot):
    with pytest.raises(EcrLabError, match="begins later"):
        Courses(snapshot, [shop.past[:3]])


UNREAD = image("sha256:aa", "v1", size_in_bytes=2**30)


def unknown(size=2**30):
    one = image("sha256:aa", "v1", size_in_bytes=size)
    return Snapshot("dark", AT, (one,), {}, {}, {one.image_digest: "nobody may read it"})


@pytest.mark.parametrize(("size", "most"), [(2**30, 0.10), (0, None)])
def test_what_could_not_be_read_has_bounds(shop, size, most):
    dark = Courses(unknown(size), futures(shop.future, days=30, number=1))
    shown = Outlook({"none": dark.of(None, 0, 30), "all": dark.of(policy(rule(1, pushed=3650)), 0, 30)}, PRICES)

    [cost] = shown.cost("none")
    assert not shown.is_exact
    assert cost.least == 0
    assert cost.most == (pytest.approx(most) if most else None)
    assert shown.saved() == ([Amount(-cost.most, cost.most)] if most else None)


@pytest.mark.parametrize("quantity", outlook_picture.QUANTITIES)
def test_the_picture_tells_two_policies_apart_without_colour(courses, quantity):
    figure = outlook_picture.picture(outlook(courses, start=12), quantity, 12)

    [axes] = figure.axes
    first, second, begin = axes.lines
    assert first.get_linestyle() != second.get_linestyle()
    assert first.get_marker() != second.get_marker()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["none", "tidy"]
    assert [text.get_text() for text in axes.texts] == ["the policies begin"]
    assert axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left")
    assert begin.get_xdata()[0] == first.get_xdata()[12] == 12
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert (ticks[0], ticks[-1], len(ticks)) == ("2026-10-01", "2026-10-30", 6)
    plt.close(figure)


def test_the_picture_says_when_it_shows_a_bound(shop):
    dark = Courses(unknown(), futures(shop.future, days=5, number=1))
    shown = Outlook({"none": dark.of(None, 0, 5), "again": dark.of(None, 0, 5)}, PRICES)

    figure = outlook_picture.picture(shown, outlook_picture.BYTES)

    assert figure.axes[0].get_ylabel() == "GB stored at most"
    plt.close(figure)


@pytest.mark.parametrize("days", [1, 2, 5])
def test_a_few_days_can_be_drawn(courses, days):
    figure = outlook_picture.picture(outlook(courses, days=days), outlook_picture.IMAGES)
    figure.canvas.draw()

    assert len(figure.axes[0].get_xticks()) == days
    plt.close(figure)


def test_names_are_shown_letter_by_letter_and_the_picture_has_a_text(courses):
    met = courses.of(None, 0, 5)
    shown = Outlook({"$x^2$ <b>": met, "_hidden" * 20: met}, PRICES)

    drawn = outlook_picture.as_html(shown, outlook_picture.MONEY, "'quoted' <b>")

    assert "alt='money per month, day by day, under two policies. &#x27;quoted&#x27; &lt;b&gt;'" in drawn
    assert plt.get_fignums() == []
