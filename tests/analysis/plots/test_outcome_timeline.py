"""The picture of a preview: what is kept and what goes, day by day, told by shape and word as well as by colour."""

from datetime import UTC, datetime, timedelta

import matplotlib as mpl
import pandas as pd
import pytest

import ecrlab
from ecrlab.analysis.plots import outcome_timeline
from tests.lifecycle.builders import rule, text
from tests.simulator.client import Repository

mpl.use("Agg")

MONDAY = datetime(2026, 10, 5, 9, tzinfo=UTC)


@pytest.fixture
def app():
    with ecrlab.start() as lab:
        ecr = lab.client("ecr")
        ecr.create_repository(repositoryName="app")
        yield Repository(ecr, "app")


def preview_of(*images):
    """A table of (tags, days after Monday, outcome, rule)."""
    rows = [
        (tags, f"{n:012d}", f"{MONDAY + timedelta(days=days):%Y-%m-%d %H:%M:%S}", outcome, rule_priority)
        for n, (tags, days, outcome, rule_priority) in enumerate(images)
    ]
    return pd.DataFrame(rows, columns=outcome_timeline.COLUMNS, index=range(1, len(rows) + 1))


def legend(shown):
    return [text.get_text() for text in shown.axes[0].get_legend().get_texts()]


def test_the_table_is_the_last_preview_with_what_stays_beside_it(app):
    old, bare, new = app.push(b"1", tag="v1"), app.push(b"2"), app.push(b"3", tag="v2")
    rules = [
        rule(1, ["v*"], keep=1),
        rule(2, status="untagged", keep=1, archive=True),
    ]
    app.push(b"4")
    app.start_lifecycle_policy_preview(lifecyclePolicyText=text(*rules))

    table = outcome_timeline.table(app.ecr, "app")

    assert list(table.columns) == outcome_timeline.COLUMNS
    assert list(table.index) == [1, 2, 3, 4]
    assert table[["tags", "outcome", "rule"]].values.tolist() == [
        ["v1", "expires", "1"],
        ["", "goes to the archive", "2"],
        ["v2", "kept", ""],
        ["", "kept", ""],
    ]
    assert table["digest"].tolist()[:3] == [digest[7:19] for digest in (old, bare, new)]
    assert table["pushed"][1].startswith("2026-10-01 09:00:0")


def test_an_image_of_the_preview_that_is_gone_is_still_shown(app):
    old = app.push(b"1", tag="v1")
    app.push(b"2", tag="v2")
    app.start_lifecycle_policy_preview(lifecyclePolicyText=text(rule(1, keep=1)))
    app.batch_delete_image(imageIds=[{"imageDigest": old}])

    assert outcome_timeline.table(app.ecr, "app")["outcome"].tolist() == ["expires", "kept"]


def test_more_than_a_page_of_results_is_read(app):
    for n in range(103):
        app.push(b"%d" % n, tag=f"v{n}")
    app.start_lifecycle_policy_preview(lifecyclePolicyText=text(rule(1, keep=1)))

    assert (outcome_timeline.table(app.ecr, "app")["outcome"] == "expires").sum() == 102


def test_each_fate_has_its_shape_and_is_counted_by_rule():
    table = preview_of(
        ("v1", 0, "expires", "1"),
        ("", 0, "expires", "12"),
        ("", 1, "expires", "2"),
        ("v2", 2, "kept", ""),
        ("v3", 3, "goes to the archive", "4"),
    )

    shown = outcome_timeline.picture(table, "my-app")

    assert legend(shown) == [
        "expires: 1 by rule 1, 1 by rule 2, 1 by rule 12",
        "goes to the archive: 1 by rule 4",
        "kept: 1",
    ]
    shapes = {tuple(map(tuple, one.get_paths()[0].vertices.round(3))) for one in shown.axes[0].collections}
    assert len(shapes) == 3
    assert shown.get_label() == (
        "my-app. 5 images. expires: 1 by rule 1, 1 by rule 2, 1 by rule 12; goes to the archive: 1 by rule 4; kept: 1."
    )


def test_each_kind_of_tag_has_its_row_and_the_axes_say_what_they_are():
    table = preview_of(
        ("v1 latest", 0, "kept", ""), ("v2", 1, "kept", ""), ("nightly", 2, "kept", ""), ("", 3, "kept", "")
    )

    [axes] = outcome_timeline.picture(table).axes

    assert [label.get_text() for label in axes.get_yticklabels()] == ["v*", "nightly", "untagged"]
    assert axes.get_ylabel() == "images tagged"
    assert axes.get_xlabel() == "day of the push (UTC, 2026)"
    assert axes.get_title(loc="left") == "What the policy does, and to which images"


def test_of_many_kinds_the_smallest_share_a_row():
    names = ["alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta", "iota", "kappa"]
    table = preview_of(*[(name, n, "kept", "") for n, name in enumerate(names)])

    [axes] = outcome_timeline.picture(table).axes

    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(labels) == 8
    assert labels[-1] == "others"
    assert sum(len(one.get_offsets()) for one in axes.collections) == len(names)


@pytest.mark.parametrize("days", [0, 1, 40, 700])
def test_days_are_written_whatever_the_span(days):
    shown = outcome_timeline.picture(preview_of(("v1", 0, "kept", ""), ("v2", days, "kept", "")))
    shown.canvas.draw()

    [axes] = shown.axes
    labels = [label.get_text() for label in axes.get_xticklabels() if label.get_text()]
    assert 1 <= len(labels) <= 10
    assert axes.get_xlabel() == (
        "day of the push (UTC, 2026 to 2028)" if days == 700 else "day of the push (UTC, 2026)"
    )


def test_nothing_is_a_picture_too():
    shown = outcome_timeline.picture(preview_of())

    assert shown.get_label() == "What the policy does, and to which images. No images."
