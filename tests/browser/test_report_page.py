"""The page of a report, opened in a real browser."""

import pytest

from ecrlab.analysis.costs import prices
from ecrlab.analysis.report import html_page
from ecrlab.analysis.report.report import Report
from ecrlab.lifecycle import parse
from tests.analysis.repositories import image, repository
from tests.lifecycle.builders import rule, text

pytestmark = [pytest.mark.browser, pytest.mark.client("chromium")]

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def test_the_page_shows_all_its_pictures_and_asks_for_nothing_from_outside(page, tmp_path):
    shop = repository(image(OLD, "v1", 40), image(NEW, "v2", 1), layers={OLD: "l3", NEW: "l2"})
    report = Report(shop, prices.load(), parse(text(rule(1, keep=1))))
    (tmp_path / "report.html").write_text(html_page.page([report]))

    page.goto((tmp_path / "report.html").as_uri())

    widths = page.eval_on_selector_all("img", "all => all.map(one => one.naturalWidth)")
    assert len(widths) == 5
    assert min(widths) >= 1000
    assert page.get_by_role("heading", name="my-app", exact=True).is_visible()
    assert page.get_by_role("table", name="What each rule does").is_visible()
    assert (page.outside, page.errors) == ([], [])
