"""Two Regions: storage twice, sending once."""

from dataclasses import replace

import pytest

from ecrlab.analysis.costs import prices, replication
from ecrlab.analysis.costs.bounds import Bounds
from tests.analysis.repositories import image, repository

GB = 2**30
TWO = repository(image("d0"), image("d1"), layers={"d0": "l0", "d1": "l0"}, sizes={"l0": 10 * GB})
"""Ten gigabytes, which two images share."""


@pytest.fixture
def table():
    return prices.load()


def test_each_region_stores_all_and_each_copy_is_sent_once(table):
    assert replication.per_month(TWO, table, 1) == Bounds.exactly(1.0)
    assert replication.per_month(TWO, table, 3) == Bounds.exactly(3.0)
    assert replication.sending(TWO, table, 1) == Bounds.exactly(0.0)
    sent = replication.sending(TWO, table, 3)
    assert (sent.least, sent.most) == pytest.approx((0.4, 1.8))


def test_what_is_not_known_stays_within_bounds(table):
    unread = replace(TWO, layers={"d0": ("l0",)}, unread={"d1": "it is lost"})

    sent = replication.sending(unread, table, 2)

    assert sent.least == pytest.approx(0.2)
    assert sent.most is None


def test_the_table_has_a_row_for_each_number_of_regions(table):
    found = replication.table(TWO, table)

    assert list(found.index) == [1, 2, 3]
    assert list(found.loc[2]) == ["20.0 GiB", "2.00 USD", "24.00 USD", "10.0 GiB", "0.20 to 0.90 USD"]
