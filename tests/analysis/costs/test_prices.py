"""Money: from a dated table that the reader can replace, and never from one that lacks a price."""

import copy
import json
from datetime import timedelta

import pytest

from ecrlab.analysis.costs import archive, prices
from ecrlab.analysis.costs.bounds import Bounds, format_money
from ecrlab.analysis.costs.prices import UnusablePrices
from ecrlab.analysis.inventory.snapshot import Snapshot
from tests.analysis.repositories import NOW, image, repository

GB = 1_073_741_824
TB = 1024 * GB
OURS = json.loads(prices.OURS.read_text())


def exactly(amount):
    assert amount.is_exact
    return amount.least


def test_a_gigabyte_costs_ten_cents_a_month():
    assert exactly(prices.load().per_month(Bounds.exactly(50 * GB))) == pytest.approx(5.0)


def test_the_archive_saves_nothing_below_150_terabytes_and_a_third_of_what_is_above():
    table = prices.load()

    def saved(size):
        standard = exactly(table.per_month(Bounds.exactly(size)))
        return standard - exactly(table.per_month(Bounds.exactly(0), Bounds.exactly(size)))

    assert saved(150 * TB) == pytest.approx(0)
    assert saved(250 * TB) == pytest.approx(100 * 1024 * 0.03)


def test_what_is_not_known_of_bytes_is_not_known_of_money():
    table = prices.load()

    assert table.per_month(Bounds(0, 10 * GB)).most == pytest.approx(1.0)
    assert table.per_month(Bounds(0, None)).most is None
    assert format_money(table.per_month(Bounds(GB, None)), table.currency) == "at least 0.10 USD"


def test_the_table_names_its_sources_and_its_doubts():
    table = prices.load()

    assert table.dated
    assert {source.partition(":")[0] for source in table.sources} == {"standard", "archive", "restore"}
    assert any("Compare them with your own bill" in doubt for doubt in table.doubts)


def test_a_reader_can_put_in_prices_of_their_own(tmp_path):
    mine = copy.deepcopy(OURS)
    mine["standard"]["per_gb_month"] = 0.25
    mine["currency"] = "EUR"
    (tmp_path / "mine.json").write_text(json.dumps(mine))

    table = prices.load(tmp_path / "mine.json")

    assert format_money(table.per_month(Bounds.exactly(4 * GB)), table.currency) == "1.00 EUR"


def set_at(document, place, value):
    *way, last = place
    for key in way:
        document = document[key]
    if value is KeyError:
        del document[last]
    else:
        document[last] = value


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (["standard"], KeyError, "standard is missing"),
        (["standard", "per_gb_month"], KeyError, "standard.per_gb_month is missing"),
        (["standard", "per_gb_month"], -0.1, "standard.per_gb_month: at least 0 is needed, got -0.1"),
        (["standard", "per_gb_month"], "0.10", 'standard.per_gb_month: a number is needed, got "0.10"'),
        (["standard", "per_gb_month"], None, "standard.per_gb_month: a number is needed, got null"),
        (["standard", "per_gb_month"], True, "a number is needed, got true"),
        (["standard", "per_gb_month"], float("nan"), "a number is needed, got NaN"),
        (["archive", "tiers"], [], "archive.tiers: a list of tiers is needed"),
        (["archive", "tiers", 0, "up_to_gb"], 0, "tiers rise, so more than 0, got 0"),
        (["archive", "tiers", 0, "per_gb_month"], KeyError, "archive.tiers[0].per_gb_month is missing"),
        (["archive", "tiers", 1, "up_to_gb"], 99, "the last tier goes on without end: null, got 99"),
        (["archive", "minimum_days"], -1, "archive.minimum_days: at least 0 is needed"),
        (["bytes_per_gb"], 0, "bytes_per_gb: at least 1 is needed, got 0"),
        (["currency"], "", "currency: a text is needed"),
        (["doubts"], "none", "doubts: a list of texts is needed"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_its_place(tmp_path, place, value, said):
    table = copy.deepcopy(OURS)
    set_at(table, place, value)
    (tmp_path / "mine.json").write_text(json.dumps(table))

    with pytest.raises(UnusablePrices) as refused:
        prices.load(tmp_path / "mine.json")

    assert str(refused.value).startswith("mine.json: ")
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["", "prices", "[]", "3", '{"a": [', "[" * 9999])
def test_what_is_no_table_at_all_is_refused(tmp_path, text):
    (tmp_path / "mine.json").write_text(text)

    with pytest.raises(UnusablePrices, match=r"mine\.json: "):
        prices.load(tmp_path / "mine.json")


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UnusablePrices, match="No such file"):
        prices.load(tmp_path / "mine.json")


# The archive


SHELF = repository(
    image("old", days=200, storage_class="archive", last_archived_at=NOW - timedelta(days=30)),
    image("new"),
    layers={"old": "own base", "new": "base"},
    sizes={"own": 10 * GB, "base": 5 * GB},
)


def test_an_archived_image_deleted_early_is_paid_for_to_the_end_of_its_90_days():
    table = prices.load()

    assert exactly(archive.still_owed(SHELF, ["old"], table)) == pytest.approx(10 * 0.10 * 60 / 30)
    assert exactly(archive.still_owed(SHELF, ["new"], table)) == 0


def test_after_90_days_nothing_is_owed():
    later = Snapshot(SHELF.name, NOW + timedelta(days=60), SHELF.images, SHELF.layers, SHELF.sizes)

    assert exactly(archive.still_owed(later, ["old"], prices.load())) == 0


def test_without_the_day_of_archiving_it_may_be_all_or_nothing():
    undated = repository(image("old", storage_class="archive"), layers={"old": "own"}, sizes={"own": 10 * GB})

    owed = archive.still_owed(undated, ["old"], prices.load())

    assert (owed.least, owed.most) == (0, pytest.approx(3.0))


def test_bringing_images_back_costs_their_layers_once():
    two = repository(
        image("a", storage_class="archive"),
        image("b", storage_class="archive"),
        layers={"a": "base", "b": "base"},
        sizes={"base": 100 * GB},
    )

    assert exactly(archive.restoring(two, ["a", "b"], prices.load())) == pytest.approx(3.0)
    assert exactly(archive.restoring(SHELF, ["new"], prices.load())) == 0


def test_archiving_an_image_archives_only_the_layers_that_it_has_alone():
    before = repository(
        image("old"), image("new"), layers={"old": "own base", "new": "base"}, sizes={"own": 3, "base": 4}
    )

    after = archive.archived(before, ["old"])

    assert exactly(archive.cost(after, prices.load())) == exactly(archive.cost(before, prices.load()))
    assert [one.storage_class for one in after.images] == ["archive", "standard"]
