"""Bars of parts: title, labels, outlines and sizes."""

import matplotlib as mpl

from ecrlab.analysis.plots import bars, style

mpl.use("agg")


def test_bars_have_title_labels_outline_and_sizes():
    shown = bars.stacked(
        "A push", ["config", "layer 1"], {"sent": [7, 0], "reused": [3, 1200]}, unit="bytes", row_label="part"
    )
    [axes] = shown.axes

    assert axes.get_title(loc="left") == "A push"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("bytes", "part")
    assert {bar.get_hatch() for group in axes.containers for bar in group} == set(style.HATCHES[:2])
    assert {mpl.colors.to_hex(bar.get_edgecolor()) for group in axes.containers for bar in group} == {style.INK}
    assert {text.get_text() for text in axes.texts} >= {"3", "1,200"}


def test_a_label_that_would_hide_its_part_stands_beside_it_or_nowhere():
    shown = bars.stacked("Builds", ["a", "b"], {"shared": [107, 1], "alone": [1, 107]}, unit="MB")
    [axes] = shown.axes
    texts = {text.get_text(): text for text in axes.texts if text.get_text()}

    assert set(texts) == {"107", "1"}
    beside = [text for text in axes.texts if text.get_text() == "1"]
    assert [text.get_ha() for text in beside] == ["left"]
    assert beside[0].xy[0] == 108
