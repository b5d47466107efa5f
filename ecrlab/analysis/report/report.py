"""The report on one repository: its age, size and cost, what a policy saves and risks, and a year ahead.

    Snapshot, policy, prices, what runs ──► Report ──► text here, JSON in `json_document`, a page in `html_page`

Its `doubts` name everything that is unknown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.costs import outlook, risks, savings
from ecrlab.analysis.costs.archive import cost
from ecrlab.analysis.costs.bounds import Bounds, format_money, format_size
from ecrlab.analysis.costs.prices import Prices
from ecrlab.analysis.costs.projection import DAYS_OF_A_YEAR, NO_POLICY, Projection, futures, project
from ecrlab.analysis.costs.rates import Rate
from ecrlab.analysis.costs.risks import RUNS, Risk
from ecrlab.analysis.costs.savings import PolicyEffect, settle
from ecrlab.analysis.costs.storage import stored, stored_together, sum_of_sizes
from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.inventory.running import Reference, resolve
from ecrlab.analysis.inventory.snapshot import DAYS_SINCE_PULL, DAYS_SINCE_PUSH, Snapshot, days_since, doubts
from ecrlab.analysis.inventory.units import format_bytes
from ecrlab.analysis.plots import ages
from ecrlab.lifecycle import Policy

if TYPE_CHECKING:
    import pandas as pd

FUTURES = 5
"""How many futures a year ahead is drawn from."""
THE_POLICY = "the policy"
MOST_ROWS = 20
"""How many rows of a table fit a terminal."""
HEAVIEST = 10
"""How many of the images with the most bytes of their own are named."""


@dataclass(frozen=True)
class Report:
    """One repository, and what a policy (or None) would do to it."""

    snapshot: Snapshot
    prices: Prices
    policy: Policy | None = None
    references: Sequence[Reference] = field(default_factory=tuple)

    @cached_property
    def running(self) -> tuple[dict[str, list[str]], list[Reference]]:
        """The digests that run, each with its references, and the references that match no image."""
        return resolve(self.snapshot, self.references)

    @cached_property
    def effect(self) -> PolicyEffect | None:
        """What the policy does to the repository as it stands."""
        return None if self.policy is None else settle(self.snapshot, self.policy)

    @cached_property
    def risks(self) -> list[Risk]:
        """What the policy puts at risk."""
        return [] if self.effect is None else risks.risks(self.effect, self.running[0])

    @cached_property
    def harmed(self) -> list[Risk]:
        """The images that run and would go."""
        return [risk for risk in self.risks if risk.why == RUNS]

    @cached_property
    def rate(self) -> Rate:
        """How images come to the repository."""
        return Rate(self.snapshot, frozenset(self.running[0]))

    @cached_property
    def projection(self) -> Projection:
        """A year ahead, with the policy and without."""
        policies: dict[str, Policy | None] = {NO_POLICY: None}
        if self.policy is not None:
            policies[THE_POLICY] = self.policy
        return project(self.snapshot, policies, futures(self.rate.future, days=DAYS_OF_A_YEAR, number=FUTURES))

    @cached_property
    def doubts(self) -> list[str]:
        """What is not known, one sentence each."""
        lost = [f"{one.text} is said to run, but {self.snapshot.name} does not have it" for one in self.running[1]]
        return [*doubts(self.snapshot), *lost, *self.rate.doubts()]

    def heaviest(self) -> "pd.DataFrame":
        """The images that hold the most bytes alone, as `ecrlab.analysis.plots.ages.table` has them."""
        table = ages.table(self.snapshot).sort_values("own", ascending=False, kind="stable").head(HEAVIEST)
        table.index = range(1, len(table) + 1)
        return table

    def headline(self) -> str:
        """How many images, how many bytes, what they cost."""
        number = len(self.snapshot)
        return (
            f"{self.snapshot.name}: {number:,} image{'s' * (number != 1)}, {format_size(stored(self.snapshot))} stored"
            f" (the sizes of its images add up to {format_bytes(sum_of_sizes(self.snapshot))}),"
            f" {self._money(cost(self.snapshot, self.prices))} a month"
        )

    def age(self) -> str:
        """How old the images are, in a sentence."""
        pushed = days_since(self.snapshot, [image.pushed_at for image in self.snapshot.images])
        known = [days for days in pushed if days is not None]
        never = sum(image.last_pulled_at is None for image in self.snapshot.images)
        if not known:
            return "No image has an age that is known."
        return (
            f"Half of the images are older than {median(known):,.0f} days, the oldest is of {max(known):,.0f} days;"
            f" {never:,} {'was' if never == 1 else 'were'} never pulled."
        )

    def saving(self) -> str:
        """What the policy saves, in a sentence."""
        if self.effect is None:
            return ""
        before, after = (stored(one) for one in (self.effect.before, self.effect.after))
        costs = [self._money(cost(one, self.prices)) for one in (self.effect.before, self.effect.after)]
        archived = len(self.effect.acting) - len(self.effect.deleted)
        return (
            f"The policy deletes {len(self.effect.deleted):,} of {len(self.snapshot):,} images"
            + (f", archives {archived:,}" if archived else "")
            + f", and leaves {format_size(after)} of {format_size(before)}: {costs[1]} instead of {costs[0]} a month."
        )

    def _money(self, amount: Bounds[float]) -> str:
        return format_money(amount, self.prices.currency)


def together(reports: Sequence[Report]) -> str:
    """What several repositories store together, with and without blob mounting."""
    snapshots = [report.snapshot for report in reports]
    apart, mounted = (stored_together(snapshots, mounting=mounting) for mounting in (False, True))
    return (
        f"All {len(reports)} repositories together store {format_size(apart)}; it would be {format_size(mounted)} if"
        " each layer were mounted wherever another repository of the account and Region, encrypted alike, has it."
    )


def as_text(reports: Sequence[Report]) -> Iterator[str]:
    """A report for a terminal, line by line."""
    for report in reports:
        yield report.headline()
        yield f"  {report.age()}"
        yield from _indented(_families(report))
        if report.effect is not None:
            yield f"  {report.saving()}"
            yield from _indented(for_people(savings.by_rule(report.effect), report.snapshot))
            at_risk = risks.table(report.risks, report.snapshot)
            yield from _indented(for_people(at_risk, report.snapshot), "  At risk:")
        yield f"  In {DAYS_OF_A_YEAR} days (middle and range of {FUTURES} futures):"
        yield from _indented(outlook.summary(report.projection, report.prices))
        for doubt in report.doubts:
            yield f"  ? {doubt}."
        yield ""
    if len(reports) > 1:
        yield together(reports)
    yield f"Prices: {reports[0].prices.title}, {reports[0].prices.dated}."
    for doubt in reports[0].prices.doubts:
        yield f"  ? {doubt}"


def _families(report: Report) -> "pd.DataFrame":
    """How many images each family has, and how old they are."""
    numbers = ages.by_family(report.snapshot)["pushed"]
    return numbers.loc[:, (numbers != 0).any()]


def for_people(table: "pd.DataFrame", snapshot: Snapshot) -> "pd.DataFrame":
    """A table of a repository with words for what is missing, and bytes in the unit that fits."""
    shown = table.copy()
    for column in map(str, table):
        if "bytes" in column or column == "own":
            shown[column] = [
                "unknown" if missing else format_bytes(int(size)) for size, missing in _values(table[column])
            ]
        elif column == DAYS_SINCE_PULL:
            pulled = {short(image.image_digest) for image in snapshot.images if image.last_pulled_at is not None}
            absent = [ages.IN_THE_FUTURE if digest in pulled else ages.NEVER for digest in table["digest"]]
            shown[column] = _in_days(table[column], absent)
        elif column == DAYS_SINCE_PUSH:
            shown[column] = _in_days(table[column], [ages.IN_THE_FUTURE] * len(table))
    return shown


def _in_days(column: Any, absent: Sequence[str]) -> list[str]:
    return [word if missing else f"{days:.1f}" for (days, missing), word in zip(_values(column), absent, strict=True)]


def _values(column: Any) -> Iterator[tuple[Any, bool]]:
    """Each value of a column, and whether it is missing."""
    return zip(column, column.isna(), strict=True)


def _indented(table: "pd.DataFrame", head: str = "") -> Iterator[str]:
    if len(table):
        if head:
            yield head
        for line in table.head(MOST_ROWS).to_string(max_colwidth=60).splitlines():
            yield f"    {line}".rstrip()
        if len(table) > MOST_ROWS:
            yield f"    … and {len(table) - MOST_ROWS:,} more; --output json has all"
