"""The what-if panel: two policies, a start, a horizon; money, table and picture follow."""

import html
import re
from datetime import UTC, date, datetime

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.dates import date2num

from ecrlab.analysis.costs import trajectories
from ecrlab.analysis.costs.projection import replay
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.analysis.widgets import what_if
from ecrlab.analysis.widgets.what_if import NO_POLICY, OWN, panel
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle import InvalidLifecyclePolicy
from ecrlab.scenarios import draw
from tests.lifecycle.builders import image, rule, text

mpl.use("agg")

AT = datetime(2026, 10, 1, tzinfo=UTC)
TIDY = text(rule(1, ["v*"], keep=5), rule(2, status="untagged", pushed=3), rule(3, pushed=20))
FEW = text(rule(1, status="any", keep=1))
REFUSED = text(rule(1, status="any", keep=0))


@pytest.fixture(scope="module")
def shop():
    return draw(3, date(2026, 9, 30), days=40)


@pytest.fixture(scope="module")
def snapshot(shop):
    return replay(shop.repositories[-1].name, shop.past, at=AT)


@pytest.fixture
def shown(shop, snapshot):
    return panel(snapshot, {"tidy": TIDY, "few": FEW}, shop.future, days=30, number=2)


def plain(widget):
    return html.unescape(re.sub("<[^>]+>", "", widget.value))


def saved(shown):
    return float(re.search(r"(?:saves|costs) ([\d.]+)", shown.says)[1])


def test_it_begins_with_no_policy_against_the_last_one(shown):
    assert (shown.first, shown.second, shown.start, shown.horizon) == (NO_POLICY, "few", 0, 30)
    assert shown.says.startswith("Over 30 days: 'few' instead of 'no policy' saves ")
    assert list(shown.table().index) == [NO_POLICY, "few"]
    assert shown.table()["images"]["few"] == str(shown.projection.trajectories["few"][0].end.images)


def test_money_and_picture_follow_what_is_chosen(shown):
    few, picture = saved(shown), shown._picture.value

    shown.choose(second="tidy")

    assert saved(shown) < few
    assert shown._picture.value != picture
    assert shown.says in plain(shown._status)
    assert "tidy" in plain(shown._table)


def test_hands_and_verbs_do_the_same(shown, shop, snapshot):
    by_verb = panel(snapshot, {"tidy": TIDY, "few": FEW}, shop.future, days=30, number=2)
    by_verb.choose(first="few", second="tidy", start=5, horizon=20)

    shown.first_list.value, shown.second_list.value = "few", "tidy"
    shown.start_field.value, shown.horizon_field.value = 5, 20

    assert shown.says == by_verb.says
    assert shown.table().equals(by_verb.table())
    assert shown._picture.value == by_verb._picture.value


def test_what_costs_more_is_said_so(shown):
    gain = saved(shown)

    shown.choose(first="few", second=NO_POLICY)

    assert re.search(r"'no policy' instead of 'few' costs [\d.]+ \([\d.]+ to [\d.]+\) USD more\.", shown.says)
    assert saved(shown) == gain


def test_a_later_start_and_a_nearer_horizon_save_less(shown):
    all_of_it = saved(shown)
    shown.choose(start=10)
    later = saved(shown)
    shown.choose(start=10, horizon=12)

    assert all_of_it > later > saved(shown) > 0
    assert shown.says.startswith("Over 12 days, the policies beginning after 10 days: ")
    shown.choose(horizon=10)
    assert shown.says.endswith("saves 0.00 USD.")


def test_one_policy_twice_saves_nothing(shown):
    shown.choose(first="few")

    assert shown.says == "Over 30 days: 'few again' instead of 'few' saves 0.00 USD."


def test_a_policy_of_ones_own_is_pasted_and_chosen(shown):
    shown.paste(TIDY)
    pasted = (shown.second, saved(shown))
    shown.choose(second="tidy")

    assert pasted == (OWN, saved(shown))
    shown.paste(FEW)
    assert saved(shown) > pasted[1]


@pytest.mark.parametrize("slip", [REFUSED, "not JSON" * 20])
def test_a_pasted_policy_that_aws_would_refuse_changes_nothing_that_is_shown(shown, slip):
    before = (shown.says, shown._table.value, shown._picture.value)

    shown.paste(slip)

    assert shown.refusal.startswith("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '")
    assert shown.refusal in plain(shown._refusal)
    assert "role='alert'" in shown._refusal.value
    assert (shown.says, shown._table.value, shown._picture.value) == before
    shown.choose(second="tidy")
    assert shown.refusal == shown._refusal.value == ""


def test_what_was_pasted_and_is_refused_then_is_no_choice_any_more(shown):
    shown.paste(FEW)
    before = shown.says

    shown.paste(REFUSED)
    shown.choose(horizon=20)

    assert shown.says == before
    assert "There is no policy of your own" in plain(shown._refusal)


def test_ones_own_policy_cannot_be_met_before_it_is_pasted(shown):
    before = shown.says

    shown.choose(second=OWN)

    assert shown.says == before
    assert "Paste its JSON into the field above" in plain(shown._refusal)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"first": "tdy"}, "there is no policy 'tdy'; there are 'no policy', 'tidy', 'few'"),
        ({"start": 30}, "start is a whole number of days from 0 to 29, got 30"),
        ({"start": True}, "start is a whole number"),
        ({"horizon": 0}, "horizon is a whole number of days from 1 to 30, got 0"),
        ({"horizon": 1.5}, "horizon is a whole number"),
    ],
)
def test_a_slip_is_refused_by_name_and_chooses_nothing(shown, wanted, told):
    before = (shown.first, shown.second, shown.says)

    with pytest.raises(EcrLabError, match=re.escape(told)):
        shown.choose(**({"second": "tidy"} | wanted))

    assert (shown.first, shown.second, shown.says) == before


def test_policies_are_refused_at_the_door(snapshot, shop):
    with pytest.raises(InvalidLifecyclePolicy, match="minimum: 1, found: 0"):
        panel(snapshot, {"bad": REFUSED}, shop.future, days=3)
    with pytest.raises(EcrLabError, match="'no policy' is a choice of the panel itself"):
        panel(snapshot, {NO_POLICY: FEW}, shop.future, days=3)


@pytest.mark.parametrize("bounds", [{"days": 0}, {"number": 0}])
def test_there_must_be_a_future(snapshot, shop, bounds):
    with pytest.raises(EcrLabError, match="at least one future of at least one day"):
        panel(snapshot, {"few": FEW}, shop.future, **({"days": 3} | bounds))


def test_futures_are_drawn_from_its_own_days_where_none_are_given(snapshot):
    own = panel(snapshot, {"few": FEW}, days=10, number=2)

    assert "what comes is drawn from the pushes of" in own.children[-1].value
    assert own.table()["images"][NO_POLICY] != str(len(snapshot))


def test_an_empty_repository_costs_nothing():
    empty = panel(Snapshot("empty", AT, (), {}, {}), {"few": FEW}, days=10, number=2)

    assert empty.says == "Over 10 days: 'few' instead of 'no policy' saves 0.00 USD."
    assert "nothing was ever pushed" in empty.children[-1].value


def test_unknown_bytes_are_shown_as_unknown(shop):
    dark = image("sha256:aa", "v1")
    snapshot = Snapshot("dark", AT, (dark,), {}, {}, {"sha256:aa": "nobody may read it"})

    shown = panel(snapshot, {"few": FEW}, shop.future, days=10, number=2)

    assert shown.says == "Over 10 days: what 'few' saves instead of 'no policy' cannot be known."
    assert set(shown.table()["stored"]) == {"at least 0 B"}
    assert "nobody may read it" in plain(shown.children[-1])


def test_the_prices_and_their_doubts_are_told(shown):
    assert "Prices: Amazon ECR private registry, us-east-1, 2026-07." in plain(shown.children[-1])
    assert "Compare them with your own bill" in plain(shown.children[-1])


def test_names_are_text_everywhere(snapshot, shop):
    hostile = "<img src=x onerror=alert(1)>$\\frac$"
    shown = panel(snapshot, {hostile: FEW}, shop.future, days=5, number=1)
    shown.paste('{"rules": "<script>"}')

    for widget in (shown._status, shown._table, shown._refusal, shown._picture):
        assert not re.search("<img src=x|<script", widget.value)


def test_every_field_has_a_label(shown):
    fields = (shown.first_list, shown.second_list, shown.own_text, shown.start_field, shown.horizon_field)

    assert all(field.description for field in fields)


def test_the_picture_says_what_it_shows_and_where_the_policies_begin(shown, snapshot, monkeypatch):
    drawn = []
    monkeypatch.setattr(what_if.style, "as_img", lambda figure: drawn.append(figure) or "")

    shown.choose(start=10)

    [axes] = drawn[0].axes
    assert (
        drawn[0].get_label().startswith(f"Lines of stored bytes over time. {snapshot.name}: storage over the next 30")
    )
    begin = next(line for line in axes.lines if line.get_linestyle() == ":")
    assert begin.get_xdata()[0] == date2num(datetime(2026, 10, 11, 12))
    assert " the policies begin" in {text.get_text() for text in axes.texts}
    plt.close(drawn[0])


def test_no_figure_is_left_open_to_be_shown_again(shown):
    before = plt.get_fignums()

    shown.choose(second="tidy")

    assert plt.get_fignums() == before


def test_where_widgets_cannot_be_shown_the_words_are(shown, snapshot):
    told = shown._repr_mimebundle_()["text/plain"].splitlines()

    assert told[:2] == [f"What if? {snapshot.name}", shown.says]
    assert told[3].startswith("few: images 5, stored ")


def test_the_numbers_are_those_of_the_courses(shown):
    gain = trajectories.saved(*shown.projection.trajectories.values(), shown.prices)
    [low, high] = sorted(amount.least for amount in gain)

    assert f"({low:.2f} to {high:.2f}) USD" in shown.says
    assert what_if._cents(0.001) == "under 0.01"
