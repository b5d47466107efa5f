"""Looks at consumers: the digests in their answers, as a table and as bars."""

from datetime import UTC, datetime

import matplotlib.pyplot as plt
import pytest

from ecrlab.analysis.plots import what_ran

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
    assert list(table["ECS"]) == ["a" * 12] * 3
    assert list(table["Lambda"]) == ["a" * 12, "a" * 12, "nothing"]
    assert list(table["EKS"]) == ["a" * 12, f"{'a' * 12}, {'b' * 12}", "b" * 12]


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
    assert [text.get_text() for text in axes.texts][:3] == ["a" * 12, "a" * 12, "nothing"]
    assert f"after a night, ECS {'a' * 12}, Lambda nothing, EKS {'b' * 12}" in shown.get_label()
