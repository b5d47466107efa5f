"""The what-if panel: choose two policies, a start and a horizon, and see what one saves instead of the other.

    panel(lab.storage("web"), {"keep ten": text}, shop.future)

The panel draws the days to come once. It simulates a policy when it is first chosen and keeps the trajectories, so that
going back, or another horizon, costs nothing. Without futures it draws them from the repository's own days
(`ecrlab.analysis.costs.rates`). It needs a snapshot only, and changes nothing.
"""

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ecrlab.analysis.costs import outlook, prices
from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.costs.prices import Prices
from ecrlab.analysis.costs.projection import DAYS_OF_A_YEAR, Futures, Projection, futures
from ecrlab.analysis.costs.rates import Rate
from ecrlab.analysis.costs.trajectories import Trajectories, saved
from ecrlab.analysis.inventory.snapshot import Snapshot, doubts
from ecrlab.analysis.plots import style
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle import InvalidLifecyclePolicy, Policy, parse

if TYPE_CHECKING:
    import pandas as pd

NO_POLICY, OWN = "no policy", "your own, pasted below"
FUTURES = 3
"""How many futures each policy is simulated in."""
FIELD: dict[str, Any] = {"layout": {"width": "28em", "max_width": "100%"}, "style": {"description_width": "initial"}}
BY_KEY = "<p>By keyboard: Tab goes on; Space opens a list, arrows and Enter choose; ↑ and ↓ change a number.</p>"
STYLE = """<style>
.ecrlab-what-if {border: 1px solid var(--jp-border-color1, #8c8c8c); padding: 0.5em 1em; margin: 0.5em 0}
.ecrlab-what-if p, .ecrlab-what-if li {line-height: 1.4; margin: 0.4em 0}
.ecrlab-what-if :is(.widget-html, .widget-html-content) {min-width: 0; max-width: 100%}
.ecrlab-what-if .ecrlab-wide {overflow-x: auto}
.ecrlab-what-if table {border-collapse: collapse}
.ecrlab-what-if :is(th, td) {text-align: left; vertical-align: top; padding: 0.15em 0.6em; line-height: 1.35}
.ecrlab-what-if img {max-width: 100%}
</style>"""


def panel(
    snapshot: Snapshot,
    policies: Mapping[str, str],
    to_come: Futures | None = None,
    *,
    price_table: Prices | None = None,
    days: int = DAYS_OF_A_YEAR,
    number: int = FUTURES,
) -> "WhatIf":
    """A panel for a repository as a snapshot shows it, and some policies by their names, as texts.

    `to_come` makes futures; the panel simulates `number` of them for at most `days`. `price_table` is the kit's own
    unless given. Raises `InvalidLifecyclePolicy` for a text that AWS would refuse, and `EcrLabError` for a reserved
    name and for unusable futures.
    """
    known: dict[str, Policy | None] = {NO_POLICY: None}
    for name, text in policies.items():
        if name in (NO_POLICY, OWN):
            raise EcrLabError(f"{name!r} is a choice of the panel itself; give your policy another name")
        known[name] = parse(text)
    rate = Rate(snapshot)
    doubtful = [*doubts(snapshot), *([] if to_come else rate.doubts())]
    table = price_table or prices.load()
    drawn = futures(to_come or rate.future, days=days, number=number)
    return WhatIf(Trajectories(snapshot, drawn), known, table, doubtful)


class WhatIf(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Two policies, a start and a horizon, and what follows; made by `panel`.

    `choose(first=..., second=..., start=..., horizon=...)` and `paste(text)` do what the controls do. Properties
    return what is shown: `says`, `refusal`, `table()`, `projection`.
    """

    def __init__(
        self, trajectories: Trajectories, policies: dict[str, Policy | None], price_table: Prices, doubtful: list[str]
    ) -> None:
        self.trajectories = trajectories
        self.prices = price_table
        self.refusal = ""
        self._policies = policies
        name, names = trajectories.snapshot.name, (*policies, OWN)
        self.first_list = widgets.Dropdown(description="first policy", options=names, **FIELD)
        self.second_list = widgets.Dropdown(
            description="second policy", options=names, index=len(policies) - 1, **FIELD
        )
        self.start_field = _number("policies begin after, days", 0, trajectories.days - 1, 0)
        self.horizon_field = _number("look ahead, days", 1, trajectories.days, trajectories.days)
        self.own_text = widgets.Textarea(
            description="your own policy (JSON)",
            placeholder='{"rules": [...]}',
            continuous_update=False,
            layout={"width": "100%", "height": "5em"},
            style={"description_width": "initial"},
        )
        self._refusal, self._status, self._table, self._picture = (widgets.HTML() for _ in range(4))
        self._status.add_class("ecrlab-status")
        self._is_choosing = False
        for field in (self.first_list, self.second_list, self.start_field, self.horizon_field):
            field.observe(lambda _: self._follow(), "value")
        self.own_text.observe(lambda _: self._read_own(), "value")
        self._follow()
        super().__init__(
            [
                widgets.HTML(f"{STYLE}<p><strong>What if? {html.escape(name)}</strong></p>{BY_KEY}"),
                *(self.first_list, self.second_list, self.own_text, self._refusal),
                *(self.start_field, self.horizon_field),
                *(self._status, self._table, self._picture),
                widgets.HTML(self._doubts_as_html(doubtful)),
            ]
        )
        self.add_class("ecrlab-what-if")

    # What is shown, as plain values

    @property
    def first(self) -> str:
        """The name of the policy to compare with."""
        return str(self.first_list.value)

    @property
    def second(self) -> str:
        """The name of the policy that may save something."""
        return str(self.second_list.value)

    @property
    def start(self) -> int:
        """After how many days the policies begin."""
        return int(self.start_field.value)

    @property
    def horizon(self) -> int:
        """How many days it looks ahead."""
        return int(self.horizon_field.value)

    @property
    def says(self) -> str:
        """What the second policy saves instead of the first, in one line."""
        first, second = self.projection.trajectories
        gain = saved(self.projection.trajectories[first], self.projection.trajectories[second], self.prices)
        when = f"Over {_days(len(self.projection.days))}"
        if self._shown_start:
            when += f", the policies beginning after {_days(self._shown_start)}"
        if gain is None:
            return f"{when}: what {second!r} saves instead of {first!r} cannot be known."
        if all(amount.most is not None and amount.most < 0 for amount in gain):
            return f"{when}: {second!r} instead of {first!r} costs {self._money([_less(a) for a in gain])} more."
        return f"{when}: {second!r} instead of {first!r} saves {self._money(gain)}."

    def table(self) -> "pd.DataFrame":
        """A row for each of the two policies; see `ecrlab.analysis.costs.outlook.summary`."""
        return outlook.summary(self.projection, self.prices)

    # What a hand does

    def choose(
        self,
        *,
        first: str | None = None,
        second: str | None = None,
        start: int | None = None,
        horizon: int | None = None,
    ) -> None:
        """Choose anew what is given, and keep the rest. Raises `EcrLabError` for what cannot be chosen."""
        wanted = {
            self.first_list: _one_of(first, self.first_list.options),
            self.second_list: _one_of(second, self.second_list.options),
            self.start_field: _within("start", start, self.start_field),
            self.horizon_field: _within("horizon", horizon, self.horizon_field),
        }
        self._is_choosing = True
        for field, value in wanted.items():
            if value is not None:
                field.value = value
        self._is_choosing = False
        self._follow()

    def paste(self, text: str) -> None:
        """Put in a policy of one's own; it can be chosen as `what_if.OWN`, and the second list does so."""
        self.own_text.value = text

    # How it comes about

    def _read_own(self) -> None:
        text = self.own_text.value
        try:
            self._policies.pop(OWN, None)
            if text.strip():
                self._policies[OWN] = parse(text)
                self.choose(second=OWN)
                return
        except InvalidLifecyclePolicy as error:
            self._refuse(error.message, error.place)
            return
        self._follow()

    def _follow(self) -> None:
        """Simulate the two policies, and show the result."""
        if self._is_choosing:
            return
        if OWN in (self.first, self.second) and OWN not in self._policies:
            self._refuse("")
            return
        self.refusal = self._refusal.value = ""
        names = [self.first, self.second]
        if names[0] == names[1]:
            names[1] += " again"
        self._status.value = "<p role='status'>…</p>"
        chosen = (self._policies[self.first], self._policies[self.second])
        met = [self.trajectories.of(policy, self.start, self.horizon) for policy in chosen]
        self._shown_start = self.start
        self.projection = Projection(self.trajectories.snapshot.name, dict(zip(names, met, strict=True)))
        # The slow part first, so that everything changes at once.
        self._picture.value = self._picture_as_html()
        self._table.value = self._table_as_html()
        self._status.value = f"<p role='status'><strong>{html.escape(self.says)}</strong></p>"

    def _refuse(self, said: str, place: str = "") -> None:
        """Say why the pasted policy cannot be used; what is shown stays."""
        self.refusal = said
        told = (
            f"<strong>✗ ECR would refuse this policy.</strong> <code>InvalidParameterException: {html.escape(said)}"
            f"</code> The place: <code>{html.escape(place) or 'the text as a whole'}</code>."
            if said
            else "<strong>✗ There is no policy of your own.</strong> Paste its JSON into the field above."
        )
        self._refusal.value = f"<p role='alert'>{told} What is shown is what was shown before.</p>"

    def _picture_as_html(self) -> str:
        days = self.projection.days
        start = days[self._shown_start] if 0 < self._shown_start < len(days) else None
        return style.as_img(outlook.picture(self.projection, self.trajectories.snapshot, self.prices, start))

    def _money(self, values: list[Bounds[float]]) -> str:
        return f"{outlook.told(values, _cents)} {self.prices.currency}"

    def _table_as_html(self) -> str:
        table = self.table()
        heads = "".join(f"<th scope='col'>{head}</th>" for head in ("policy", *table.columns))
        body = "".join(
            f"<tr><th scope='row'>{html.escape(name)}</th>"
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
            + "</tr>"
            for name, *cells in table.itertuples(name=None)
        )
        shown = f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        return f"<div class='ecrlab-wide' role='group' aria-label='the two policies' tabindex='0'>{shown}</div>"

    def _doubts_as_html(self, doubtful: list[str]) -> str:
        told = [*doubtful, f"Prices: {self.prices.title}, {self.prices.dated}.", *self.prices.doubts]
        items = "".join(f"<li>{html.escape(one)}</li>" for one in told)
        return f"<details><summary>What there is to doubt ({len(told)})</summary><ul>{items}</ul></details>"

    def __repr__(self) -> str:
        return f"<{self.trajectories.snapshot.name}: {self.says}>"

    def _repr_mimebundle_(self, **settings: Any) -> Any:
        shown = super()._repr_mimebundle_(**settings)
        if isinstance(shown, dict):
            # Where widgets cannot be shown (a printed page, a repository's web view), the words still can.
            lines = [
                f"{name}: " + ", ".join(f"{head} {cell}" for head, cell in row.items())
                for name, row in self.table().to_dict("index").items()
            ]
            shown["text/plain"] = "\n".join([f"What if? {self.trajectories.snapshot.name}", self.says, *lines])
        return shown


def _number(name: str, least: int, most: int, value: int) -> Any:
    # Not a slider: ipywidgets gives the handle of a slider no accessible name.
    return widgets.BoundedIntText(
        description=name,
        min=least,
        max=most,
        value=value,
        # Drawing takes a moment, so it waits until the number is entered.
        continuous_update=False,
        layout={"width": "19em", "max_width": "100%"},
        style={"description_width": "initial"},
    )


def _one_of(name: str | None, options: tuple[str, ...]) -> str | None:
    if name is not None and name not in options:
        raise EcrLabError(f"there is no policy {name!r}; there are {', '.join(map(repr, options))}")
    return name


def _within(what: str, number: int | None, field: Any) -> int | None:
    if number is not None and (type(number) is not int or not field.min <= number <= field.max):
        raise EcrLabError(f"{what} is a whole number of days from {field.min} to {field.max}, got {number!r}")
    return number


def _less(saved: Bounds[float]) -> Bounds[float]:
    """The same amount, as additional cost."""
    return Bounds(-(saved.most or 0.0), -saved.least)


def _days(number: int) -> str:
    return f"{number} {'day' if number == 1 else 'days'}"


def _cents(number: float) -> str:
    return "under 0.01" if 0 < number < 0.005 else f"{number:,.2f}"
