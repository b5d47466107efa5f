"""Looks at consumers: the digests in their answers, as a table and as bars."""

from datetime import UTC, datetime

import matplotlib.pyplot as plt
import pytest

from ecrlab.analysis.plots import what_ran
from ecrlab.errors import EcrLabError

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
APP = "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app"


def at(hour):
    return datetime(2026, 10, 1, hour, tzinfo=UTC)


def task(digest):
    return {"containers": [{"image": f"{APP}:latest", "imageDigest": digest}]}


def pod(digest):
    return {"image": f"{APP}:latest", "imageID": f"{APP}@{digest}"}


@pytest.fixture
def seen():
    """ECS keeps its digest; a pod takes the new one, with both for a while; the function is deleted in the end."""
    function = {"ImageUri": f"{APP}:latest", "ResolvedImageUri": f"{APP}@{OLD}"}
    looks = [
        what_ran.look(at(9), "deployed", ECS=[task(OLD)], Lambda=function, EKS=[pod(OLD)]),
        what_ran.look(at(10), "an update", ECS=[task(OLD)], Lambda=function, EKS=[pod(NEW), pod(OLD), pod(NEW)]),
        what_ran.look(at(11), "a night", ECS=[task(OLD)], Lambda=[], EKS=[pod(NEW)]),
    ]
    return what_ran.show("What ran", looks)


def test_the_table_has_each_digest_of_each_consumer_and_says_where_nothing_ran(seen):
    table = seen.table()

    assert list(table.index) == [
        ("2026-10-01 09:00", "deployed"),
        ("2026-10-01 10:00", "an update"),
        ("2026-10-01 11:00", "a night"),
    ]
    old, new = f"{'a' * 12} (old)", f"{'b' * 12} (new)"
    assert list(table["ECS"]) == [old] * 3
    assert list(table["Lambda"]) == [old, old, "nothing"]
    assert list(table["EKS"]) == [old, f"{old}, {new}", new]


def test_a_look_tells_the_digest_of_a_consumer_that_ran_one(seen):
    [first, second, night] = seen.looks

    assert first.digest("ECS") == OLD
    with pytest.raises(EcrLabError, match="after 'an update' EKS ran aaaaaaaaaaaa and bbbbbbbbbbbb, so"):
        second.digest("EKS")
    for consumer in ("Lambda", "Batch"):
        with pytest.raises(EcrLabError, match=f"after 'a night' {consumer} ran nothing"):
            night.digest(consumer)


def test_one_digest_is_neither_old_nor_new_and_three_are_neither(seen):
    [first, second, _] = seen.looks
    third = what_ran.look(at(12), "later", ECS=[task("sha256:" + "c" * 64)])

    assert list(what_ran.show("", [first]).table()["ECS"]) == ["a" * 12]
    assert list(what_ran.show("", [first, second, third]).table()["ECS"]) == ["a" * 12, "a" * 12, "c" * 12]


def test_an_instant_of_several_looks_is_written_once_under_them():
    looks = [what_ran.look(at(hour), str(k), ECS=[task(OLD)]) for k, hour in enumerate((9, 10, 10, 10, 11))]
    shown = what_ran.show("What ran", looks).picture()
    [axes] = shown.axes
    plt.close(shown)

    written = [(one.get_text(), one.xy[0]) for one in axes.texts if one.get_text().startswith("2026")]
    lines = [tuple(line.get_xdata()) for line in axes.lines]
    assert written == [("2026-10-01 09:00", 0.5), ("2026-10-01 10:00", 2.5), ("2026-10-01 11:00", 4.5)]
    assert lines == [(0.05, 0.95), (1.05, 3.95), (4.05, 4.95)]
    assert [one.get_text() for one in axes.get_xticklabels()] == list("01234")


def test_an_answer_without_a_digest_is_no_digest_that_ran():
    [look] = what_ran.show("", [what_ran.look(at(9), "", ECS=[{"image": f"{APP}:latest"}])]).looks

    assert look.ran == {"ECS": ()}


def test_a_digest_that_runs_on_is_one_bar_and_has_one_colour_everywhere(seen):
    shown = seen.picture()
    [axes] = shown.axes
    bars = [
        (bar.get_x(), bar.get_width(), bar.get_facecolor()) for bar in axes.patches
    ]  # ECS: one; Lambda: old, nothing; EKS: old, both, new
    plt.close(shown)

    widths = [round(width + 0.06) for _, width, _ in bars]
    colours = [colour for _, _, colour in bars]
    assert widths == [3, 2, 1, 1, 1, 1, 1]
    assert colours[0] == colours[1] == colours[3] == colours[4] != colours[5] == colours[6]
    assert [text.get_text() for text in axes.texts][:3] == [f"{'a' * 12} (old)", f"{'a' * 12} (old)", "nothing"]
    assert f"after a night, ECS {'a' * 12} (old), Lambda nothing, EKS {'b' * 12} (new)" in shown.get_label()
