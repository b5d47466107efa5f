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
    assert {text.get_text() for text in axes.texts} >= {"7", "3", "1,200"}
