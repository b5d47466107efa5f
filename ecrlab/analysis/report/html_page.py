"""A report as one self-contained page of HTML: pictures are embedded, with alternative text.

Names and tags are untrusted input, and escaped.
"""

import html
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.costs import outlook, risks, savings
from ecrlab.analysis.costs.projection import DAYS_OF_A_YEAR
from ecrlab.analysis.plots import ages, style, waterfall
from ecrlab.analysis.report.document import document
from ecrlab.analysis.report.report import FUTURES, HEAVIEST, Report, for_people, together

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 200
"""How many rows of a table are shown; the JSON has all."""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 3rem; border-bottom: 2px solid #0072b2 }
figure { margin: 1rem 0 } img { max-width: 100%; height: auto }
.wide { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; font-size: 14px }
caption { text-align: left; font-weight: bold; padding: .3rem 0 }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ccc; text-align: left; vertical-align: top }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
.risk { border-left: .4rem solid #d55e00; padding-left: 1rem }
.doubts li::marker { content: "?  "; font-weight: bold }
"""


def page(reports: Sequence[Report]) -> str:
    """The whole page."""
    names = ", ".join(report.snapshot.name for report in reports)
    parts = [_paragraph(f"As of {reports[0].snapshot.taken_at:%Y-%m-%d %H:%M} UTC.")]
    if len(reports) > 1:
        parts.append(_paragraph(together(reports)))
    for report in reports:
        parts += _repository(report)
    parts += _prices(reports[0])
    return document(f"Age, size and cost of {names}", STYLE, parts)


def _repository(report: Report) -> Iterator[str]:
    yield f"<h2>{html.escape(report.snapshot.name)}</h2>\n"
    yield _paragraph(report.headline())
    if report.harmed:
        number = len(report.harmed)
        said = f"{number} image{'s' * (number > 1)} that run{'s' * (number == 1)} would go."
        yield f'<p class="risk"><strong>{said}</strong></p>\n'
    yield _list("What is not known", report.doubts)
    yield "<h3>Age</h3>\n"
    yield _paragraph(report.age())
    yield _figure(ages.picture(report.snapshot))
    yield _table(ages.by_family(report.snapshot), "Images by family and age")
    heaviest = for_people(report.heaviest(), report.snapshot)
    yield _table(heaviest, f"The {HEAVIEST} images that hold the most bytes alone")
    if report.effect is not None:
        yield "<h3>What the policy saves</h3>\n"
        yield _paragraph(report.saving())
        yield _figure(waterfall.picture(report.effect, report.prices))
        yield _table(for_people(savings.by_rule(report.effect), report.snapshot), "What each rule does")
        yield _figure(waterfall.families_picture(report.effect))
        yield _table(for_people(savings.by_family(report.effect), report.snapshot), "Before and after, by family")
        yield "<h3>What the policy puts at risk</h3>\n"
        yield _figure(risks.picture(report.effect, report.risks))
        if report.risks:
            at_risk = for_people(risks.table(report.risks, report.snapshot), report.snapshot)
            yield _table(at_risk, "Images that go, and run or were pulled in the last week")
    yield f"<h3>The next {DAYS_OF_A_YEAR} days</h3>\n"
    yield _figure(outlook.picture(report.projection, report.snapshot, report.prices))
    yield _table(
        outlook.summary(report.projection, report.prices), f"At the end, the middle and range of {FUTURES} futures"
    )


def _prices(report: Report) -> Iterator[str]:
    prices = report.prices
    yield "<h2>Prices</h2>\n"
    yield _paragraph(f"{prices.title}, {prices.dated}, in {prices.currency}.")
    yield _list("Sources", prices.sources)
    yield _list("What there is to doubt", prices.doubts)


def _figure(shown: Any) -> str:
    return f"<figure>{style.as_img(shown)}</figure>\n"


def _table(table: "pd.DataFrame", caption: str) -> str:
    more = f" (the first {MOST_ROWS} of {len(table):,})" if len(table) > MOST_ROWS else ""
    shown: str = table.head(MOST_ROWS).to_html(border=0, justify="left", index_names=False)
    start = shown.index(">") + 1
    told = f"{shown[:start]}\n<caption>{html.escape(caption + more)}</caption>{shown[start:]}"
    return f'<div class="wide" role="region" tabindex="0" aria-label="{html.escape(caption)}">{told}</div>\n'


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>\n"


def _list(head: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    entries = "\n".join(f"<li>{html.escape(item)}</li>" for item in items)
    return f'<p>{html.escape(head)}:</p>\n<ul class="doubts">\n{entries}\n</ul>\n'
