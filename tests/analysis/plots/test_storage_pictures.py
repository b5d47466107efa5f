"""The pictures of age, storage and savings: they say what the tables say, at any size, with any names."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from ecrlab.analysis.costs import outlook, prices, risks, storage
from ecrlab.analysis.costs.projection import futures, project, replay
from ecrlab.analysis.costs.rates import Rate
from ecrlab.analysis.costs.savings import settle
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.analysis.plots import ages, style, waterfall
from ecrlab.errors import EcrLabError
from ecrlab.scenarios import draw
from tests.analysis.repositories import NOW, image, repository
from tests.lifecycle.builders import policy, rule

mpl.use("agg")

TIDY = policy(rule(1, ["v*"], keep=2), rule(2, status="untagged", pushed=3), rule(3, pushed=20))
PRICES = prices.load()
LONG = "platform-team/a-very-long-service-name-that-goes-on/and-on/production-backend-service"


@pytest.fixture(scope="module")
def shop():
    past = draw(3, date(2026, 9, 30), days=60)
    return replay(past.repositories[1].name, past.past, at=datetime(2026, 10, 1, tzinfo=UTC))


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def pictures(snapshot, names=("no policy", "tidy")):
    effect = settle(snapshot, TIDY)
    projection = project(
        snapshot, dict(zip(names, (None, TIDY), strict=True)), futures(Rate(snapshot).future, days=30, number=2)
    )
    return {
        "ages": ages.picture(snapshot),
        "waterfall": waterfall.picture(effect, PRICES),
        "families": waterfall.families_picture(effect),
        "risks": risks.picture(effect, risks.risks(effect, [one.image_digest for one in snapshot.images[:3]])),
        "outlook": outlook.picture(projection, snapshot, PRICES),
    }


def long_names(snapshot):
    images = tuple(
        replace(one, image_tags=tuple(f"{'long-' * 20}{tag}" for tag in one.image_tags)) for one in snapshot.images
    )
    return replace(snapshot, name=LONG, images=images)


def skewed(snapshot):
    return replace(snapshot, taken_at=min(one.pushed_at for one in snapshot.images))


def unread(snapshot):
    return replace(snapshot, layers={}, sizes={}, unread=dict.fromkeys(snapshot.by_digest, "lost"))


ONE = "sha256:" + "1" * 64


CASES = {
    "empty": lambda shop: repository(),
    "one": lambda shop: repository(image(ONE, "v1", 40), layers={ONE: "l5"}),
    "zero bytes": lambda shop: repository(image(ONE, "v1", 40), layers={ONE: "l0"}),
    "many": lambda shop: shop,
    "long names": long_names,
    "all in the future": skewed,
    "unread": lambda shop: Snapshot(
        shop.name, shop.taken_at, shop.images, {}, {}, dict.fromkeys(shop.by_digest, "lost")
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_picture_can_be_drawn_with_title_units_and_words_for_those_who_cannot_see_it(shop, case):
    snapshot = CASES[case](shop)

    for name, shown in pictures(snapshot, names=("no policy", "long " * 30)).items():
        shown.canvas.draw()
        assert snapshot.name[:30] in shown.get_suptitle(), name
        assert all(axes.get_xlabel() for axes in shown.axes), name
        assert shown.axes[0].get_ylabel(), name
        assert len(shown.get_label()) > 40, name


@pytest.mark.parametrize("case", ["one", "many", "long names"])
def test_no_title_is_cut_off(shop, case):
    for name, shown in pictures(CASES[case](shop)).items():
        shown.canvas.draw()
        right = shown._suptitle.get_window_extent().x1
        assert right <= shown.bbox.width, name


def test_the_bars_of_ages_are_the_numbers_of_the_table(shop):
    table = ages.by_family(shop)
    left, right = ages.picture(shop).axes

    for axes, which in ((left, "pushed"), (right, "pulled")):
        drawn = [[int(bar.get_width()) for bar in bars] for bars in axes.containers]
        assert drawn == [list(table[which, step]) for step in table[which].columns]
    assert table["pushed"].to_numpy().sum() == table["pulled"].to_numpy().sum() == len(shop)


def test_a_name_in_place_of_a_snapshot_is_refused_with_the_way_to_take_one():
    for function in (ages.by_family, ages.table, ages.picture, storage.stored, storage.own, storage.sum_of_sizes):
        with pytest.raises(EcrLabError, match=r'pass lab\.storage\("bike/stock"\), not a name'):
            function("bike/stock")


def test_steps_of_age_are_told_apart_without_colour():
    lightness = [sum(int(shade[k : k + 2], 16) for k in (1, 3, 5)) for shade in style.SHADES]

    assert lightness == sorted(lightness, reverse=True)
    assert min(one - other for one, other in itertools.pairwise(lightness)) > 60


def test_an_image_of_unknown_make_has_no_bytes_of_its_own_in_the_table():
    dark = Snapshot("my-app", NOW, (image("sha256:dark", "v1", -1, size_in_bytes=5),), {}, {}, {"sha256:dark": "lost"})

    table = ages.table(dark)

    assert table["own"].isna().all()
    assert table["pushed (days ago)"].isna().all()
    assert list(table["bytes"]) == [5]


def test_the_waterfall_ends_where_the_table_does(shop):
    effect = settle(shop, TIDY)
    [axes] = waterfall.picture(effect, PRICES).axes
    bars = [bars[0] for bars in axes.containers]

    steps = [round(bar.get_width()) for bar in bars[1:-1]]
    assert steps == [saving.known for saving in effect.savings]
    assert round(bars[0].get_width()) - sum(steps) == round(bars[-1].get_width())


def test_of_many_rules_those_that_free_least_are_one_bar(shop):
    many = policy(*[rule(n, [f"{n}*"], keep=1) for n in range(1, 40)], rule(40, status="untagged", pushed=1))

    [axes] = waterfall.picture(settle(shop, many)).axes

    assert len(axes.containers) == 2 + waterfall.MOST_RULES
    assert "29 other rules" in [text.get_text() for text in axes.get_yticklabels()]


def test_the_lines_end_where_the_tables_do(shop):
    projection = project(shop, {"no policy": None, "tidy": TIDY}, futures(Rate(shop).future, days=20, number=3))
    table = outlook.table(projection)
    [axes] = outlook.picture(projection, shop, PRICES).axes

    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    for name in ("no policy", "tidy"):
        assert list(lines[name]) == list(table[name, "bytes", "middle"])
        assert (table[name, "bytes", "lowest"] <= table[name, "bytes", "highest"]).all()
    assert len(table) == 20


def test_the_summary_says_money_and_its_spread():
    start = repository(image("sha256:a", "v1", 5), layers={"sha256:a": "l"}, sizes={"l": 50 * 1024**3})
    projection = project(start, {"no policy": None}, futures(Rate(repository()).future, days=60, number=2))

    [row] = outlook.summary(projection, PRICES).to_dict("records")

    assert row["a month then"] == "5.00 USD"
    assert row["all months"] == "10.00 USD"
    assert row["needed, but gone"] == "0"


def test_bytes_that_are_not_known_are_bounds_in_the_summary():
    dark = Snapshot(
        "my-app", NOW, (image("sha256:d", "v1", -9, size_in_bytes=2 * 1024**3),), {}, {}, {"sha256:d": "lost"}
    )
    projection = project(dark, {"no policy": None}, futures(Rate(dark).future, days=3, number=2))

    [row] = outlook.summary(projection, PRICES).to_dict("records")

    assert row["stored"] == "0 B to 2.1 GB"
    assert row["a month then"] == "0.00 USD to 0.20 USD"
